// Errors beside the inputs that they are about. The server writes into the same elements.

/** Shows an error beside the input with this id; an empty message removes it. */
export function showError(id, message) {
  const element = document.getElementById(`${id}_error`);
  // A screen reader reads out every change of the text.
  if (element.textContent !== message) element.textContent = message;
  const input = document.getElementById(id);
  if (input && message) input.setAttribute("aria-invalid", "true");
  else if (input) input.removeAttribute("aria-invalid");
}
