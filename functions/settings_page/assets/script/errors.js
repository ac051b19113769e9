// What is wrong, beside the input that can mend it. The server writes into the same places.

/** Says what is wrong with an input, or with nothing to say takes it back. */
export function tell(id, message) {
  const place = document.getElementById(`${id}_error`);
  if (place.textContent !== message) place.textContent = message;
  const input = document.getElementById(id);
  if (input && message) input.setAttribute("aria-invalid", "true");
  else if (input) input.removeAttribute("aria-invalid");
}
