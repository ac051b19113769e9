// The line beside the button that tells what would be exported.

import { us } from "./days.js";

const number = new Intl.NumberFormat("en-US");

/** Updates the line whenever the form changes. */
export function watchSummary(form, dates, workspaces) {
  const line = form.querySelector("#summary");
  function show() {
    const [first, last] = dates.read().map((day) => (day ? us(day) : "…"));
    const fields = form.querySelectorAll("[name=export_fields]:checked").length;
    const range = first === last && first !== "…" ? first : `${first} – ${last}`;
    line.textContent = `${counted(workspaces.count(), "workspace")} · ${range} · ${counted(fields, "field")}`;
  }
  form.addEventListener("changed", show);
  show();
}

function counted(count, noun) {
  return `${number.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}
