// Days as text: "2025-01-31" within the script, "01/31/2025" for people. The browser's time zone plays no part.

/**
 * Reads "1/31/2025", "01/31/2025" or "2025-01-31" as "2025-01-31". Returns null for other text and for
 * days that do not exist, such as February 30.
 */
export function readDay(text) {
  const us = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text.trim());
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text.trim());
  if (!us && !iso) return null;
  const [year, month, day] = us ? [us[3], us[1], us[2]] : iso.slice(1);
  const written = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const date = new Date(`${written}T00:00:00Z`);
  // JavaScript makes of February 30 an invalid date or March 2, depending on the browser.
  const exists = !Number.isNaN(date.valueOf()) && date.toISOString().startsWith(written);
  return exists && year !== "0000" ? written : null;
}

/** Writes "2025-01-31" as "01/31/2025". */
export function us(iso) {
  const [year, month, day] = iso.split("-");
  return `${month}/${day}/${year}`;
}

/** Returns the first and the last day of a preset, counted from `today`. */
export function preset(name, today) {
  const [year, month, day] = today.split("-").map(Number);
  const at = (y, m, d) => new Date(Date.UTC(y, m - 1, d)).toISOString().slice(0, 10);
  switch (name) {
    case "this_month":
      return [at(year, month, 1), today];
    case "last_month":
      return [at(year, month - 1, 1), at(year, month, 0)];
    case "last_30_days":
      return [at(year, month, day - 29), today];
    case "last_90_days":
      return [at(year, month, day - 89), today];
    default:
      return [at(year, 1, 1), today];
  }
}
