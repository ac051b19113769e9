// Step 1: two MM/DD/YYYY inputs, presets and a calendar that show the same days, and the time zone of these days.

import { makeCalendar } from "./calendar.js";
import { dayError, readDay, us } from "./days.js";
import { showError } from "./errors.js";
import { loadPart } from "./fragments.js";

const REVERSED = "The end date must be on or after the start date.";

/**
 * Keeps inputs, calendar and presets in step.
 *
 * Returns three functions: `read` gives the first and the last day as "2025-01-31", null where an input holds no date;
 * `isValid` tells whether they can be sent; `check` does so too, and shows what is wrong with them.
 */
export function watchDates(form) {
  const { start_date: start, end_date: end, time_zone: zone } = form.elements;
  const popover = form.querySelector("#calendar");
  const calendar = makeCalendar(popover, (first, last) => {
    write(first, last);
    if (last) hide(end);
  });
  const read = () => [readDay(start.value), readDay(end.value)];

  /** Writes two days into the inputs; null empties one. */
  function write(first, last) {
    [start.value, end.value] = [first, last].map((day) => (day ? us(day) : ""));
    changed();
    check();
  }

  function changed() {
    const [first, last] = read();
    let found = "";
    for (const button of form.querySelectorAll("[data-preset]")) {
      const isThis = button.dataset.start === first && button.dataset.end === last;
      button.setAttribute("aria-pressed", String(isThis && !found));
      if (isThis) found ||= button.dataset.preset;
    }
    form.elements.preset.value = found;
    form.dispatchEvent(new Event("changed"));
  }

  /** Shows what is wrong with the dates. An empty input is wrong only when the form is sent. */
  function check(isSending) {
    const [first, last] = read();
    const missing = (input, name) =>
      input.value.trim() ? dayError(input.value) : isSending ? `Enter the ${name} date.` : "";
    showError("start_date", first ? "" : missing(start, "start"));
    const reversed = first && last && last < first;
    showError("end_date", reversed ? REVERSED : last ? "" : missing(end, "end"));
    return Boolean(first && last && !reversed);
  }

  function show(input) {
    if (popover.hidden) {
      popover.hidden = false;
      calendar.show(...read());
      expanded(true);
      popover.scrollIntoView({ block: "nearest" });
    }
    popover.dataset.for = input.id;
  }

  function hide(focused) {
    if (popover.hidden) return;
    popover.hidden = true;
    expanded(false);
    focused?.focus();
  }

  function expanded(isOpen) {
    for (const button of form.querySelectorAll(".open-calendar")) button.setAttribute("aria-expanded", String(isOpen));
  }

  for (const input of [start, end]) {
    useText(input);
    input.addEventListener("input", ({ inputType }) => {
      if (!inputType?.startsWith("delete")) addSlashes(input);
      changed();
      if (!popover.hidden) calendar.show(...read());
      // While a date is typed it is not wrong yet. It is checked once it is complete.
      if (input.getAttribute("aria-invalid") || input.value.length >= 10) check();
    });
    input.addEventListener("change", () => {
      const day = readDay(input.value);
      if (day) input.value = us(day);
      check();
    });
    input.addEventListener("click", () => show(input));
    input.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown") return;
      event.preventDefault();
      show(input);
      calendar.focus();
    });
  }
  form.addEventListener("click", ({ target }) => {
    const opener = target.closest(".open-calendar");
    if (opener && popover.hidden) {
      show(form.elements[opener.dataset.for]);
      calendar.focus();
    } else if (opener) hide(opener);
    const preset = target.closest("[data-preset]");
    if (!preset) return;
    hide();
    write(preset.dataset.start, preset.dataset.end);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || popover.hidden) return;
    event.preventDefault();
    hide(form.elements[popover.dataset.for]);
  });
  // Not while the pointer is down: what is below would move under it.
  addEventListener("click", ({ target }) => {
    const isInside = target.isConnected === false || target.closest("#dates, [data-preset]");
    if (!isInside) hide();
  });
  form.querySelector("#dates").addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !relatedTarget.closest("#dates")) hide();
  });
  // Four hundred options: not while the page is being shown.
  (window.requestIdleCallback ?? setTimeout)(() => listZones(zone));
  zone.addEventListener("change", async () => {
    await countPresets(form, zone.value);
    const wanted = form.elements.preset.value && form.querySelector(`[data-preset=${form.elements.preset.value}]`);
    if (wanted) write(wanted.dataset.start, wanted.dataset.end);
    else changed();
    calendar.today(form.querySelector("#presets").dataset.today);
  });
  calendar.today(form.querySelector("#presets").dataset.today);
  changed();
  const isValid = () => {
    const [first, last] = read();
    return Boolean(first && last && first <= last);
  };
  return { read, check, isValid };
}

/** Makes a text input of a date input, because the calendars of browsers differ and the page has one of its own. */
function useText(input) {
  input.type = "text";
  input.inputMode = "numeric";
  input.autocomplete = "off";
  input.placeholder = "MM/DD/YYYY";
  input.maxLength = 10;
  input.value = input.dataset.typed;
}

/** Adds the slashes while digits are typed, because the number pad of a phone has none. */
function addSlashes(input) {
  const isAtEnd = input.selectionStart === input.value.length;
  if (!isAtEnd || !/^[\d/]*$/.test(input.value)) return;
  const value = input.value.replace(/\/{2,}/g, "/");
  const digits = /^(\d{2})\/?(\d{2})\/?(\d{0,4})$/.exec(value);
  if (digits) input.value = `${digits[1]}/${digits[2]}/${digits[3]}`;
  else if (/^\d{2}$/.test(value)) input.value = `${value}/`;
  else if (/^\d{3}$/.test(value)) input.value = `${value.slice(0, 2)}/${value.slice(2)}`;
  else if (/^\d{1,2}\/\d{2}$/.test(value)) input.value = `${value}/`;
  else input.value = value;
}

/** Lists the browser's time zones after those that are there: its own first, then all. */
function listZones(select) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const listed = new Set([...select.options].map(({ value }) => value));
  const names = new Set([own, ...Intl.supportedValuesOf("timeZone")]);
  const options = [...names].filter((name) => name && !listed.has(name)).map((name) => new Option(name.replaceAll("_", " "), name));
  select.append(...options);
}

/** Counts the presets from today in another time zone. If that fails, they stay as they are. */
async function countPresets(form, zone) {
  try {
    const found = await loadPart(`${form.dataset.presets}?time_zone=${encodeURIComponent(zone)}`);
    form.querySelector("#presets").replaceWith(found.querySelector("#presets"));
  } catch {
    // Today is the same day in most time zones at most times.
  }
}
