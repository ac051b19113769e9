// Step 2: the list of workspaces, in which one searches and selects. It stays fast with thousands of them.

import { showError } from "./errors.js";

const number = new Intl.NumberFormat("en-US");

/** Keeps the list, the checkbox that selects all of it, and the count in step. */
export function watchWorkspaces(form) {
  const list = form.querySelector("#workspace_list");
  const rows = [...(list?.children ?? [])].map((item) => ({
    item,
    box: item.querySelector("input"),
    // Read once, because the list does not change while the page is open.
    text: item.textContent.toLowerCase(),
  }));
  const all = form.querySelector("#workspace_all");
  const label = form.querySelector("#workspace_all_label");
  const search = form.querySelector("#workspace_search");

  function shown() {
    return rows.filter(({ item }) => !item.hidden);
  }

  function changed() {
    if (list) {
      const visible = shown();
      const ticked = visible.filter(({ box }) => box.checked).length;
      all.checked = visible.length > 0 && ticked === visible.length;
      all.indeterminate = ticked > 0 && ticked < visible.length;
      all.disabled = visible.length === 0;
      label.textContent = labelFor(visible.length, rows.length);
      const selected = rows.filter(({ box }) => box.checked).length;
      form.querySelector("#workspace_count").textContent = `${number.format(selected)} selected`;
    }
    if (countSelected(form)) showError("workspaces", "");
    form.dispatchEvent(new Event("changed"));
  }

  search?.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const { item, text } of rows) {
      const matches = words.every((word) => text.includes(word));
      if (item.hidden === matches) item.hidden = !matches;
      if (matches) found += 1;
    }
    form.querySelector("#workspace_none").hidden = found > 0;
    changed();
  });
  search?.addEventListener("keydown", (event) => {
    // Enter would send the form.
    if (event.key === "Enter") event.preventDefault();
  });
  all?.addEventListener("change", () => {
    for (const { box } of shown()) box.checked = all.checked;
    changed();
  });
  list?.addEventListener("change", changed);
  for (const input of form.querySelectorAll("[name=workspaces], #personal")) {
    input.addEventListener("change", changed);
  }
  changed();
}

/** The label of the checkbox that selects every workspace shown. */
function labelFor(visible, total) {
  if (visible === 0) return "Nothing to select";
  if (visible < total) return `Select the ${number.format(visible)} shown`;
  return `Select all ${number.format(total)}`;
}

/** Returns how many workspaces would be exported. */
export function countSelected(form) {
  if (form.elements.workspaces.value === "all") return Number(form.dataset.total);
  const selected = form.querySelectorAll("#workspace_list input:checked").length;
  return selected + (form.querySelector("#personal").checked ? Number(form.dataset.personal) : 0);
}

/**
 * Shows an error unless something is selected; returns whether it is. The personal workspaces count as a selection even
 * where there are none.
 */
export function checkWorkspaces(form) {
  const valid =
    countSelected(form) > 0 || form.elements.workspaces.value === "all" || form.querySelector("#personal").checked;
  showError("workspaces", valid ? "" : "Select at least one workspace, or include personal workspaces.");
  return valid;
}
