// Step 1: two MM/DD/YYYY fields and a calendar, bound to each other.

import { preset, readDay, us } from "./days.js";
import { tell } from "./errors.js";

const MALFORMED = "Enter a date as MM/DD/YYYY, such as 01/31/2025.";
const REVERSED = "The end date must be on or after the start date.";
const ONE_MONTH = matchMedia("(max-width: 640px)");

/** Native date inputs differ from browser to browser: these are text fields, and the calendar is ours. */
export function sameEverywhere() {
  for (const input of document.querySelectorAll("input[data-typed]")) {
    input.type = "text";
    input.inputMode = "numeric";
    input.autocomplete = "off";
    input.placeholder = "MM/DD/YYYY";
    input.maxLength = 10;
    input.value = input.dataset.typed;
  }
}

/** Gives the two days as "2025-01-31", or null where there is none, and says what is wrong with them. */
export function watchDates(form) {
  const [start, end] = [form.elements.start_date, form.elements.end_date];
  const calendar = form.querySelector("#calendar");
  const read = () => [readDay(start.value), readDay(end.value)];

  function changed() {
    const [first, last] = read();
    const value = first && last && first <= last ? `${first}/${last}` : "";
    if (calendar.value !== value) calendar.value = value;
    mark(first, last);
    form.dispatchEvent(new Event("changed"));
  }

  function mark(first, last) {
    for (const button of form.querySelectorAll("[data-preset]")) {
      const [from, to] = preset(button.dataset.preset, form.dataset.today);
      button.setAttribute("aria-pressed", String(from === first && to === last));
    }
  }

  /** Checks what was typed; an empty field is only wrong when the form is sent. */
  function check(sending) {
    const [first, last] = read();
    const missing = (input, name) => (input.value.trim() ? MALFORMED : sending ? `Enter the ${name} date.` : "");
    tell("start_date", first ? "" : missing(start, "start"));
    const reversed = first && last && last < first;
    tell("end_date", reversed ? REVERSED : last ? "" : missing(end, "end"));
    return Boolean(first && last && !reversed);
  }

  function choose(first, last) {
    [start.value, end.value] = [us(first), us(last)];
    calendar.focusedDate = first;
    changed();
    check();
  }

  for (const input of [start, end]) {
    // A field that is being typed into is not wrong yet; one that is complete is looked at once.
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
  const fit = () => (calendar.months = ONE_MONTH.matches ? 1 : 2);
  ONE_MONTH.addEventListener("change", fit);
  fit();
  const [first] = read();
  if (first) calendar.focusedDate = first;
  changed();
  return { read, check };
}
