// Days as text: "2025-01-31" within the script, "01/31/2025" for people. The browser's time zone plays no part.

const MONTHS = [
  "January", "February", "March", "April", "May", "June",
  "July", "August", "September", "October", "November", "December",
];
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MALFORMED = "Enter a date as MM/DD/YYYY, such as 01/31/2025.";

/** Reads "1/31/2025", "01/31/2025", "01312025" or "2025-01-31" as year, month and day; null for other text. */
function parts(text) {
  const us = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text.trim()) ?? /^(\d\d)(\d\d)(\d{4})$/.exec(text.trim());
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text.trim());
  if (!us && !iso) return null;
  const [year, month, day] = (us ? [us[3], us[1], us[2]] : iso.slice(1)).map(Number);
  return year ? { year, month, day } : null;
}

/** Reads a day as "2025-01-31". Returns null for other text and for days that do not exist, such as February 30. */
export function readDay(text) {
  const read = parts(text);
  return read && read.month >= 1 && read.month <= 12 && read.day >= 1 && read.day <= lengthOf(read) ? iso(read) : null;
}

/** Says what is wrong with a text that is no day. */
export function dayError(text) {
  const read = parts(text);
  if (!read) return MALFORMED;
  if (read.month < 1 || read.month > 12) return `There is no month ${read.month}: months are 01 to 12.`;
  return `There is no ${MONTHS[read.month - 1]} ${read.day} in ${read.year}.`;
}

/** Writes "2025-01-31" as "01/31/2025". */
export function us(day) {
  const [year, month, date] = day.split("-");
  return `${month}/${date}/${year}`;
}

/** Writes "2025-01-31" as "Friday, January 31, 2025". */
export function spoken(day) {
  const { year, month, day: date } = parts(day);
  return `${WEEKDAYS[weekday(day)]}, ${MONTHS[month - 1]} ${date}, ${year}`;
}

/** The name of a month, 0 to 11. */
export const monthName = (index) => MONTHS[index];

/** The day of the week, 0 for Sunday. */
export const weekday = (day) => new Date(`${day}T00:00:00Z`).getUTCDay();

/** The day that comes this many days later. */
export function addDays(day, count) {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + count);
  return date.toISOString().slice(0, 10);
}

/** The same day of the month this many months later; the last day of a shorter month. */
export function addMonths(day, count) {
  const { year, month, day: date } = parts(day);
  const months = year * 12 + month - 1 + count;
  const target = { year: Math.floor(months / 12), month: (((months % 12) + 12) % 12) + 1, day: 1 };
  return iso({ ...target, day: Math.min(date, lengthOf(target)) });
}

function lengthOf({ year, month }) {
  const date = new Date(Date.UTC(2000, month, 0));
  // A year below 100 would be taken for one of the 20th century.
  date.setUTCFullYear(year, month, 0);
  return date.getUTCDate();
}

function iso({ year, month, day }) {
  return [String(year).padStart(4, "0"), String(month).padStart(2, "0"), String(day).padStart(2, "0")].join("-");
}
