// Step 3: the fields, by groups and by presets.

import { tell } from "./errors.js";

/** Keeps the fields, the boxes of their groups and the presets together. */
export function watchFields(form) {
  const fields = [...form.querySelectorAll("[name=export_fields]")];
  const all = form.querySelector("#fields_all");
  const groups = [...form.querySelectorAll("[data-group]")].map((box) => ({
    box,
    fields: [...box.closest(".group").querySelectorAll("[name=export_fields]")],
  }));
  const presets = [...form.querySelectorAll("[data-fields]")];

  function summarize(box, members) {
    const ticked = members.filter(({ checked }) => checked).length;
    box.checked = ticked === members.length;
    box.indeterminate = ticked > 0 && ticked < members.length;
  }

  function changed() {
    summarize(all, fields);
    for (const group of groups) summarize(group.box, group.fields);
    for (const button of presets) {
      const wanted = members(button);
      button.setAttribute("aria-pressed", String(fields.every((field) => field.checked === wanted(field))));
    }
    if (fields.some(({ checked }) => checked)) tell("fields", "");
    form.dispatchEvent(new Event("changed"));
  }

  function members(button) {
    const ids = button.dataset.fields.split(" ");
    return ({ value }) => ids[0] === "all" || ids.includes(value);
  }

  function tick(wanted, among) {
    for (const field of among) field.checked = wanted(field);
    changed();
  }

  for (const field of fields) field.addEventListener("change", changed);
  all.addEventListener("change", () => tick(() => all.checked, fields));
  for (const group of groups) {
    group.box.addEventListener("change", () => tick(() => group.box.checked, group.fields));
  }
  for (const button of presets) button.addEventListener("click", () => tick(members(button), fields));
  changed();
}

/** Whether a field is selected. */
export function checkFields(form) {
  const fine = form.querySelector("[name=export_fields]:checked") !== null;
  tell("fields", fine ? "" : "Select at least one field.");
  return fine;
}
