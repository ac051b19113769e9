// Sending the form: once, and only when nothing is wrong with it.

import { checkFields } from "./fields.js";
import { checkWorkspaces } from "./workspaces.js";

/** Checks all three steps when the form is sent; leads to the first thing that is wrong. */
export function watchSending(form, dates) {
  const button = form.querySelector("#start");
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    const fine = [dates.check(true), checkWorkspaces(form), checkFields(form)].every(Boolean);
    if (!fine || button.getAttribute("aria-disabled")) {
      event.preventDefault();
      if (!fine) lead(form);
      return;
    }
    // Not `disabled`: the button keeps the focus, and a second click does nothing.
    button.setAttribute("aria-disabled", "true");
    button.textContent = "Starting…";
  });
  // The browser's back button brings the page as it was left.
  addEventListener("pageshow", () => {
    button.removeAttribute("aria-disabled");
    button.textContent = "Start export";
  });
  lead(form);
}

/** Focuses the first input that is wrong. */
function lead(form) {
  const place = [...form.querySelectorAll(".error")].find(({ textContent }) => textContent.trim());
  if (!place) return;
  const step = place.closest(".field") ?? place.closest(".step-body");
  step.querySelector("input:not([hidden])")?.focus();
}
