// Sends the form once, and only when nothing is wrong with it. Whatever the answer is, nothing that was typed is lost.

import { showError } from "./errors.js";
import { checkFields } from "./fields.js";
import { load, PartError } from "./fragments.js";

const KEPT = "Everything is still here: press Start export to try again.";
// A sign-in or a search for 5,000 workspaces takes less; API Gateway answers after 30 seconds at the latest.
const TIMEOUT_MS = 35_000;

/** Checks all three steps when the form is sent, and focuses the first input that is wrong. `sent` is called once it is. */
export function watchSending(form, dates, workspaces, sent) {
  const button = form.querySelector("#start");
  const notice = form.querySelector("#form_error");
  form.noValidate = true;

  form.addEventListener("submit", (event) => {
    // Saving the form, or a preview: the browser sends these.
    if (event.submitter && event.submitter !== button) return;
    event.preventDefault();
    if (button.getAttribute("aria-disabled")) return;
    if ([dates.check(true), workspaces.check(), checkFields(form)].every(Boolean)) send();
    else focusFirstError(form);
  });

  async function send() {
    // Not `disabled`: the button keeps the focus, and a second click does nothing.
    button.setAttribute("aria-disabled", "true");
    button.textContent = "Starting…";
    tell("");
    try {
      const body = new URLSearchParams(new FormData(form));
      const answer = await load(form.action, { method: "POST", body, timeout: TIMEOUT_MS });
      if (new URL(answer.url).searchParams.has("started")) {
        sent();
        location.assign(answer.url);
        return;
      }
      if (answer.status === 401) {
        // The browser sends the form once more: the answer asks to sign in, and keeps the form.
        form.submit();
        return;
      }
      if (!answer.content?.querySelector("#export-form")) throw new PartError(answer);
      showRefusal(answer.content);
    } catch (error) {
      tell(`${error.message} ${KEPT}`);
    }
    ready();
  }

  /** Shows what the server says is wrong. */
  function showRefusal(answer) {
    for (const error of answer.querySelectorAll(".error[id]")) showError(error.id.replace("_error", ""), error.textContent.trim());
    // The new key makes another export of a form that has started one already.
    form.elements.idempotency_key.value = answer.querySelector("[name=idempotency_key]").value;
    const message = answer.querySelector("#form_error").textContent.trim();
    tell(message);
    if (!message) focusFirstError(form);
  }

  function tell(message) {
    notice.textContent = message;
    notice.hidden = !message;
    if (message) notice.focus();
  }

  function ready() {
    button.removeAttribute("aria-disabled");
    button.textContent = "Start export";
  }
  // The browser's back button may show the page as it was left.
  addEventListener("pageshow", ready);
  if (!notice.hidden) notice.focus();
  else focusFirstError(form);
}

/** Focuses the first input that is wrong. */
function focusFirstError(form) {
  const error = [...form.querySelectorAll(".error")].find(({ textContent }) => textContent.trim());
  if (!error) return;
  const step = error.closest(".field") ?? error.closest(".step-body");
  const inputs = step.querySelectorAll("input:not([type=hidden]), select");
  [...inputs].find((input) => input.checkVisibility())?.focus();
}
