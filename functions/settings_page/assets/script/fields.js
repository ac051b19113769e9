// Step 3: fields are selected one by one, by group, or by preset.

import { showError } from "./errors.js";

/** Keeps the fields, the checkboxes of their groups, and the presets in step. */
export function watchFields(form) {
  const fields = [...form.querySelectorAll("[name=export_fields]")];
  const all = form.querySelector("#fields_all");
  const groups = [...form.querySelectorAll("[data-group]")].map((box) => ({
    box,
    fields: [...box.closest(".group").querySelectorAll("[name=export_fields]")],
  }));
  const presets = [...form.querySelectorAll("[data-fields]")];

  /** Sets a checkbox that stands for several: checked, unchecked, or in between. */
  function summarize(box, members) {
    const ticked = members.filter(({ checked }) => checked).length;
    box.checked = ticked === members.length;
    box.indeterminate = ticked > 0 && ticked < members.length;
  }

  function show() {
    summarize(all, fields);
    for (const group of groups) summarize(group.box, group.fields);
    for (const button of presets) {
      const wanted = isInPreset(button);
      button.setAttribute("aria-pressed", String(fields.every((field) => field.checked === wanted(field))));
    }
    form.dispatchEvent(new Event("changed"));
  }

  // An error that the server has written stays until the reader changes something.
  function changed() {
    if (fields.some(({ checked }) => checked)) showError("fields", "");
    show();
  }

  /** Returns a function that tells whether a field is in the preset of a button. */
  function isInPreset(button) {
    const ids = button.dataset.fields.split(" ");
    return ({ value }) => ids.includes(value);
  }

  /** Checks the wanted ones of some fields and unchecks the others. */
  function select(wanted, among) {
    for (const field of among) field.checked = wanted(field);
    changed();
  }

  for (const field of fields) field.addEventListener("change", changed);
  all.addEventListener("change", () => select(() => all.checked, fields));
  for (const group of groups) {
    group.box.addEventListener("change", () => select(() => group.box.checked, group.fields));
  }
  for (const button of presets) button.addEventListener("click", () => select(isInPreset(button), fields));
  show();
}

/** Shows an error unless a field is selected; returns whether one is. */
export function checkFields(form) {
  const valid = form.querySelector("[name=export_fields]:checked") !== null;
  showError("fields", valid ? "" : "Select at least one field.");
  return valid;
}
