// The history: what htmx attributes alone cannot do.

const PAGE = "/settings/organization/data_export";
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];
const AGES_UPDATE_MS = 30_000;

/**
 * Goes on to the page from the link of another site, keeps `#export-…` in the address while the user signs in, and
 * removes parameters that are meant for one request.
 */
export function cleanAddress() {
  const entering = document.querySelector("#entering");
  if (entering) location.replace(entering.dataset.location + location.hash);
  const signIn = document.querySelector("#sign-in");
  signIn?.addEventListener("submit", () => (signIn.action += location.hash));
  const address = new URL(location);
  // `entered` is meant for the server; `created` would put an old export on top after a reload.
  for (const name of ["entered", "created"]) address.searchParams.delete(name);
  if (address.href !== location.href) history.replaceState(null, "", address);
}

/** Shows the export that the address names. One that is not in the list is loaded and put on top of it. */
export async function openLinkedExport(htmx) {
  const id = /^#export-([0-9a-f-]{36})$/.exec(location.hash)?.[1];
  addEventListener("hashchange", () => openLinkedExport(htmx), { once: true });
  if (!id || document.getElementById(`export-${id}`)) return;
  const response = await fetch(`${PAGE}/exports/${id}/row`, { headers: { "HX-Request": "true" } });
  if (!response.ok) {
    const notice = document.querySelector("#missing_export");
    notice.textContent =
      response.status === 403
        ? "The export that you followed a link to is another user’s."
        : "The export that you followed a link to is no longer there.";
    notice.hidden = false;
    notice.scrollIntoView({ block: "center" });
    return;
  }
  const list = document.querySelector("#exports");
  list.querySelector(".empty")?.remove();
  list.insertAdjacentHTML("afterbegin", await response.text());
  htmx.process(list.firstElementChild);
  // `:target` matches the new row only after the browser has gone to the address once more.
  location.replace(location.href);
}

/** Updates texts such as "3 minutes ago" while the page stays open. */
export function watchAges() {
  const relative = new Intl.RelativeTimeFormat("en-US");
  setInterval(() => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
      const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? [];
      const text = unit ? relative.format(-Math.floor(seconds / size), unit) : "just now";
      if (time.textContent !== text) time.textContent = text;
    }
  }, AGES_UPDATE_MS);
}
