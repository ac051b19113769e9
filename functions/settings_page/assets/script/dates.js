// Step 1: two MM/DD/YYYY inputs and a calendar that show the same days.

import { preset, readDay, us } from "./days.js";
import { showError } from "./errors.js";

const MALFORMED = "Enter a date as MM/DD/YYYY, such as 01/31/2025.";
const REVERSED = "The end date must be on or after the start date.";
const ONE_MONTH = matchMedia("(max-width: 640px)");

/**
 * Makes text inputs of the date inputs, because the calendars of browsers differ and the page has one of its own.
 */
export function useTextInputs() {
  for (const input of document.querySelectorAll("input[data-typed]")) {
    input.type = "text";
    input.inputMode = "numeric";
    input.autocomplete = "off";
    input.placeholder = "MM/DD/YYYY";
    input.maxLength = 10;
    input.value = input.dataset.typed;
  }
}

/**
 * Keeps inputs, calendar and presets in step.
 *
 * Returns two functions: `read` gives the first and the last day as "2025-01-31", null where an input holds no date;
 * `check` shows what is wrong with them and returns whether they can be sent.
 */
export function watchDates(form) {
  const [start, end] = [form.elements.start_date, form.elements.end_date];
  const calendar = form.querySelector("#calendar");
  const read = () => [readDay(start.value), readDay(end.value)];

  function changed() {
    const [first, last] = read();
    const value = first && last && first <= last ? `${first}/${last}` : "";
    if (calendar.value !== value) calendar.value = value;
    markPreset(first, last);
    form.dispatchEvent(new Event("changed"));
  }

  /** Marks the preset that these days are. */
  function markPreset(first, last) {
    for (const button of form.querySelectorAll("[data-preset]")) {
      const [from, to] = preset(button.dataset.preset, form.dataset.today);
      button.setAttribute("aria-pressed", String(from === first && to === last));
    }
  }

  /** Shows what is wrong with the dates. An empty input is wrong only when the form is sent. */
  function check(sending) {
    const [first, last] = read();
    const missing = (input, name) => (input.value.trim() ? MALFORMED : sending ? `Enter the ${name} date.` : "");
    showError("start_date", first ? "" : missing(start, "start"));
    const reversed = first && last && last < first;
    showError("end_date", reversed ? REVERSED : last ? "" : missing(end, "end"));
    return Boolean(first && last && !reversed);
  }

  /** Writes two days into the inputs. */
  function choose(first, last) {
    [start.value, end.value] = [us(first), us(last)];
    calendar.focusedDate = first;
    changed();
    check();
  }

  for (const input of [start, end]) {
    // While a date is typed it is not wrong yet. It is checked once it is complete.
    input.addEventListener("input", () => {
      changed();
      if (input.getAttribute("aria-invalid") || input.value.length >= 10) check();
    });
    input.addEventListener("change", () => {
      const day = readDay(input.value);
      if (day) input.value = us(day);
      if (day && input === start) calendar.focusedDate = day;
      check();
    });
  }
  calendar.addEventListener("change", () => choose(...calendar.value.split("/")));
  form.querySelector(".presets").addEventListener("click", ({ target }) => {
    if (target.dataset.preset) choose(...preset(target.dataset.preset, form.dataset.today));
  });
  const fitWidth = () => (calendar.months = ONE_MONTH.matches ? 1 : 2);
  ONE_MONTH.addEventListener("change", fitWidth);
  fitWidth();
  const [first] = read();
  if (first) calendar.focusedDate = first;
  changed();
  return { read, check };
}
