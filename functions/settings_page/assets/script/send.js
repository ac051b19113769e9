// Sends the form once, and only when nothing is wrong with it.

import { checkFields } from "./fields.js";
import { checkWorkspaces } from "./workspaces.js";

/** Checks all three steps when the form is sent, and focuses the first input that is wrong. */
export function watchSending(form, dates) {
  const button = form.querySelector("#start");
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    const valid = [dates.check(true), checkWorkspaces(form), checkFields(form)].every(Boolean);
    if (!valid || button.getAttribute("aria-disabled")) {
      event.preventDefault();
      if (!valid) focusFirstError(form);
      return;
    }
    // Not `disabled`: the button keeps the focus, and a second click does nothing.
    button.setAttribute("aria-disabled", "true");
    button.textContent = "Starting…";
  });
  // The browser's back button shows the page as it was left, with the button disabled.
  addEventListener("pageshow", () => {
    button.removeAttribute("aria-disabled");
    button.textContent = "Start export";
  });
  focusFirstError(form);
}

/** Focuses the first input that is wrong. */
function focusFirstError(form) {
  const error = [...form.querySelectorAll(".error")].find(({ textContent }) => textContent.trim());
  if (!error) return;
  const step = error.closest(".field") ?? error.closest(".step-body");
  step.querySelector("input:not([hidden])")?.focus();
}
