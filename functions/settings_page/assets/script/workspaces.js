// Step 2: all workspaces, or those that are chosen in the list.

import { showError } from "./errors.js";
import { makePicker } from "./picker.js";

/**
 * Keeps the choice between all and selected ones, the list and the switch of the personal workspaces in step.
 *
 * Returns two functions: `count` gives how many workspaces would be exported; `check` shows an error unless something is
 * selected, and returns whether it is.
 */
export function watchWorkspaces(form) {
  const personal = form.querySelector("#personal");
  const all = form.querySelector("#workspaces_all");
  const root = form.querySelector("#picker");
  const picker = root && makePicker(root, { isAll: () => all.checked, narrow, loaded, changed });

  /** What is taken away from all workspaces makes a selection of them. */
  function narrow() {
    if (!all.checked) return;
    form.querySelector("#workspaces_selected").checked = true;
  }

  function count() {
    const shared = Number(root?.dataset.count ?? 0);
    const own = Number(personal.dataset.count);
    if (all.checked) return shared + own;
    return (picker?.chosen.size ?? 0) + (personal.checked ? own : 0);
  }

  function loaded() {
    form.dispatchEvent(new Event("changed"));
  }

  // An error that the server has written stays until the reader changes something.
  function changed() {
    if (all.checked || personal.checked || picker?.chosen.size) showError("workspaces", "");
    loaded();
  }

  personal.addEventListener("change", () => {
    if (!personal.checked && all.checked) picker?.chooseAll();
    if (!personal.checked) narrow();
    picker?.draw();
    changed();
  });
  for (const radio of form.querySelectorAll("[name=workspaces]")) {
    radio.addEventListener("change", () => {
      if (all.checked) personal.checked = true;
      picker?.draw();
      changed();
    });
  }
  form.addEventListener("formdata", ({ formData }) => {
    if (all.checked || !picker) return;
    // All of them are sent as such, whatever their number.
    const hasAll = picker.hasAll();
    if (hasAll) formData.set("shared_workspaces", "1");
    formData.set("workspace_ids", (hasAll ? picker.others() : [...picker.chosen]).join(" "));
  });

  function check() {
    const valid = all.checked || personal.checked || picker?.chosen.size > 0 || picker?.hasAll();
    showError("workspaces", valid ? "" : "Select at least one workspace, or include personal workspaces.");
    return valid;
  }
  return { count, check };
}
