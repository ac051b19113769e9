// The calendar below the date inputs: two months, of which one day is clicked as the start and one as the end.
//
// It is a grid of buttons, as https://www.w3.org/WAI/ARIA/apg/patterns/dialog-modal/examples/datepicker-dialog/ describes.

import { addDays, addMonths, monthName, spoken, weekday } from "./days.js";
import { element } from "./fragments.js";

const WEEKDAYS = [["Su", "Sunday"], ["Mo", "Monday"], ["Tu", "Tuesday"], ["We", "Wednesday"], ["Th", "Thursday"],
  ["Fr", "Friday"], ["Sa", "Saturday"]];
const ONE_MONTH = matchMedia("(max-width: 640px)");
const STEPS = {
  ArrowLeft: (day) => addDays(day, -1),
  ArrowRight: (day) => addDays(day, 1),
  ArrowUp: (day) => addDays(day, -7),
  ArrowDown: (day) => addDays(day, 7),
  Home: (day) => addDays(day, -weekday(day)),
  End: (day) => addDays(day, 6 - weekday(day)),
  PageUp: (day, { shiftKey }) => addMonths(day, shiftKey ? -12 : -1),
  PageDown: (day, { shiftKey }) => addMonths(day, shiftKey ? 12 : 1),
};

/**
 * Makes a calendar in `root`. `chosen(start, end)` is called with each click: the first sets the start and leaves the end
 * null, the second sets both.
 *
 * Returns `show(start, end)`, which shows these days and forgets a first click, and `today(day)`, after which no day can be
 * chosen.
 */
export function makeCalendar(root, chosen) {
  const first = root.dataset.first;
  let last = first;
  let [start, end] = [null, null];
  let isChoosingEnd = false;
  let active = first;
  let month = first;

  const clamp = (day) => (day < first ? first : day > last ? last : day);
  const count = () => (ONE_MONTH.matches ? 1 : 2);

  /** Draws the months from `month` on. */
  function draw() {
    const months = Array.from({ length: count() }, (_, index) => drawMonth(addMonths(month, index)));
    root.replaceChildren(drawHead(), element("div", { className: "months" }, ...months), drawHint());
    mark();
  }

  function drawHead() {
    const step = (label, direction, by) => {
      const target = addMonths(month, by);
      const button = element("button", { type: "button", className: `month-step ${direction}`, "aria-label": label });
      button.disabled = target.slice(0, 7) < first.slice(0, 7) || target.slice(0, 7) > last.slice(0, 7);
      button.onclick = () => {
        turnTo(target);
        root.querySelector(`[aria-label="${label}"]`).focus();
      };
      return button;
    };
    const years = Array.from({ length: last.slice(0, 4) - first.slice(0, 4) + 1 }, (_, index) => last.slice(0, 4) - index);
    const selectMonth = select("Month", Array.from({ length: 12 }, (_, index) => [index, monthName(index)]), month.slice(5, 7) - 1);
    const selectYear = select("Year", years.map((year) => [year, year]), Number(month.slice(0, 4)));
    for (const changed of [selectMonth, selectYear]) {
      changed.onchange = () => {
        const name = changed.getAttribute("aria-label");
        turnTo(`${selectYear.value}-${String(Number(selectMonth.value) + 1).padStart(2, "0")}-01`);
        root.querySelector(`[aria-label="${name}"]`).focus();
      };
    }
    return element("div", { className: "calendar-head" }, step("Previous month", "back", -1), selectMonth, selectYear, step("Next month", "on", 1));
  }

  function select(label, options, value) {
    const made = element("select", { "aria-label": label });
    for (const [key, text] of options) made.add(new Option(text, key, key === value, key === value));
    return made;
  }

  function drawHint() {
    return element("p", { className: "soft calendar-hint" }, isChoosingEnd ? "Now choose the end." : "Choose the start, then the end.");
  }

  function drawMonth(day) {
    const name = `${monthName(day.slice(5, 7) - 1)} ${day.slice(0, 4)}`;
    const heads = WEEKDAYS.map(([short, long]) => element("th", { scope: "col", abbr: long }, short));
    const body = element("tbody");
    const firstDay = `${day.slice(0, 7)}-01`;
    let row = element("tr");
    for (let blank = 0; blank < weekday(firstDay); blank += 1) row.append(element("td"));
    for (let at = firstDay; at.slice(0, 7) === day.slice(0, 7); at = addDays(at, 1)) {
      if (weekday(at) === 0 && at !== firstDay) {
        body.append(row);
        row = element("tr");
      }
      row.append(element("td", {}, drawDay(at)));
    }
    body.append(row);
    return element("table", { className: "month" }, element("caption", {}, name), element("thead", {}, element("tr", {}, ...heads)), body);
  }

  function drawDay(day) {
    const button = element("button", { type: "button", className: "day", tabIndex: -1 }, String(Number(day.slice(8))));
    button.dataset.day = day;
    if (day < first || day > last) button.setAttribute("aria-disabled", "true");
    if (day === last) button.classList.add("today");
    return button;
  }

  /** Marks the chosen days, up to the day under the pointer while the end is not chosen. */
  function mark(hovered) {
    const [from, to] = isChoosingEnd ? [start, hovered ?? start].sort() : [start, end];
    for (const button of root.querySelectorAll(".day")) {
      const { day } = button.dataset;
      const isStart = day === from;
      const isEnd = day === to && !(isChoosingEnd && !hovered);
      button.classList.toggle("edge", isStart || isEnd);
      button.classList.toggle("inside", Boolean(from && to && day > from && day < to));
      const roles = [day === start && "start date", day === end && "end date"].filter(Boolean);
      button.setAttribute("aria-label", [spoken(day), ...roles].join(", "));
      button.setAttribute("aria-pressed", String(Boolean(from && to && day >= from && day <= to)));
      button.tabIndex = day === active ? 0 : -1;
    }
  }

  function turnTo(day) {
    month = clamp(day);
    // The second of two months must not lie in the future alone.
    active = clamp(active.slice(0, 7) === month.slice(0, 7) ? active : `${month.slice(0, 7)}-01`);
    draw();
  }

  function focusDay(day) {
    active = clamp(day);
    const shown = active.slice(0, 7);
    if (shown < month.slice(0, 7)) month = active;
    else if (shown > addMonths(month, count() - 1).slice(0, 7)) month = addMonths(active, 1 - count());
    draw();
    root.querySelector(`[data-day="${active}"]`)?.focus();
  }

  function choose(day) {
    if (day < first || day > last) return;
    if (isChoosingEnd) [start, end] = [start, day].sort();
    else [start, end] = [day, null];
    isChoosingEnd = !end;
    focusDay(day);
    chosen(start, end);
  }

  root.addEventListener("click", ({ target }) => target.dataset.day && choose(target.dataset.day));
  root.addEventListener("pointerover", ({ target }) => {
    if (isChoosingEnd && target.dataset.day) mark(target.dataset.day);
  });
  root.addEventListener("keydown", (event) => {
    const step = event.target.dataset.day && STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    focusDay(step(event.target.dataset.day, event));
  });
  ONE_MONTH.addEventListener("change", draw);

  return {
    show(from, to) {
      [start, end, isChoosingEnd] = [from, to, false];
      active = clamp(from ?? to ?? last);
      month = count() === 2 && active.slice(0, 7) === last.slice(0, 7) ? addMonths(`${last.slice(0, 7)}-01`, -1) : active;
      if (month < first) month = first;
      draw();
    },
    today(day) {
      last = day;
    },
    focus: () => root.querySelector(".day[tabindex='0']")?.focus(),
  };
}
