// What the file will be: about how large it gets, and its first rows. It is looked up while the form is filled in.

import { loadPart } from "./fragments.js";

const LOOK_AFTER_MS = 700;

/** Shows the preview of what is chosen, a moment after each change. `isValid` tells whether it can be looked up. */
export function watchPreview(form, isValid) {
  const step = form.querySelector("#preview-step");
  let timer;
  let asked = 0;
  let shown;

  async function look() {
    const body = new URLSearchParams(new FormData(form));
    body.delete("idempotency_key");
    if (!isValid() || body.toString() === shown) return;
    asked += 1;
    const number = asked;
    step.setAttribute("aria-busy", "true");
    try {
      const found = await loadPart(form.dataset.preview, { method: "POST", body });
      if (number !== asked) return;
      shown = body.toString();
      step.replaceChildren(document.adoptNode(found.querySelector("#preview")));
    } catch {
      // The form is of use without it, and the next change asks again.
      if (number === asked) tell("There is no estimate at the moment. The export can be started all the same.");
    }
    step.setAttribute("aria-busy", "false");
  }

  function tell(message) {
    const text = document.createElement("p");
    text.className = "soft";
    text.textContent = message;
    step.querySelector("#preview").replaceChildren(text);
    shown = null;
  }

  form.addEventListener("changed", () => {
    clearTimeout(timer);
    timer = setTimeout(look, LOOK_AFTER_MS);
  });
}
