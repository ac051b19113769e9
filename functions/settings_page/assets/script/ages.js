// Texts such as "3 minutes ago", which change while the page stays open.

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];
const UPDATE_MS = 30_000;

/** Updates the texts. */
export function watchAges() {
  const relative = new Intl.RelativeTimeFormat("en-US");
  setInterval(() => {
    for (const element of document.querySelectorAll("[data-ago]")) {
      const seconds = (Date.now() - Date.parse(element.dataset.ago)) / 1000;
      const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? [];
      const text = unit ? relative.format(-Math.floor(seconds / size), unit) : "just now";
      if (element.textContent !== text) element.textContent = text;
    }
  }, UPDATE_MS);
}
