// The history: it shows what has changed, also what others have started, and appends older exports.

import { announce, loadPart } from "./fragments.js";

const SOON_MS = 2_000;
const OPEN_MS = 15_000;
const IDLE_MS = 60_000;
const FAILURES_TO_TELL = 3;

/** Keeps the table up to date while the page is seen. `changed` is called with the row of an export that has changed. */
export function watchHistory(changed) {
  const table = document.querySelector("#exports");
  const rows = document.querySelector("#rows");
  let delay = SOON_MS;
  let failures = 0;
  let timer;

  const open = () => [...rows.querySelectorAll(".is-open")].map(({ id }) => id.replace("export-", ""));

  async function look() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const found = await loadPart(`${table.dataset.changes}&open=${open().join("+")}`);
      const news = take([...found.querySelectorAll("tr.export")]);
      // What does not change is asked for less and less often.
      delay = news ? SOON_MS : Math.min(delay * 1.5, open().length ? OPEN_MS : IDLE_MS);
      failures = 0;
      showTrouble("");
    } catch (error) {
      if (error.isSignedOut) return showSignedOut();
      failures += 1;
      delay = Math.min(delay * 2, IDLE_MS);
      if (failures >= FAILURES_TO_TELL) showTrouble(`${error.message} The list may be out of date.`);
    }
    timer = setTimeout(look, delay);
  }

  /** Takes rows that have changed or are newer than the first. Returns whether there are any. */
  function take(found) {
    let news = false;
    const isLatest = !("older" in table.dataset);
    for (const row of found) {
      const shown = document.getElementById(row.id);
      if (shown ? text(shown) === text(row) : !isLatest || isOlder(row)) continue;
      news = true;
      if (shown) replace(shown, row);
      else insert(row);
    }
    return news;
  }

  const isOlder = (row) => rows.firstElementChild?.matches(".export") && row.id < rows.firstElementChild.id;

  function insert(row) {
    document.querySelector("#empty")?.remove();
    const after = [...rows.children].find(({ id }) => id < row.id) ?? null;
    rows.insertBefore(document.adoptNode(row), after);
    if (timer) announce("A new export was requested.");
  }

  function replace(shown, row) {
    const hadFocus = shown.contains(document.activeElement) && document.activeElement;
    const wasOpen = shown.matches(".is-open");
    shown.replaceWith(document.adoptNode(row));
    if (hadFocus) (row.querySelector(`.${hadFocus.classList[1]}`) ?? row.querySelector(".range")).focus();
    if (wasOpen && !row.matches(".is-open")) announce(row.dataset.announcement);
    changed(row);
  }

  rows.addEventListener("click", (event) => {
    const link = event.target.closest("[data-older]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    append(link);
  });
  document.addEventListener("visibilitychange", () => document.hidden || look());
  timer = setTimeout(look, delay);
  return () => {
    delay = SOON_MS;
    return look();
  };
}

/** Appends the older exports that a link leads to, and focuses the first of them. */
async function append(link) {
  const last = link.closest("tr");
  if (link.getAttribute("aria-disabled")) return;
  link.setAttribute("aria-disabled", "true");
  try {
    const found = await loadPart(link.dataset.older);
    const older = [...found.querySelectorAll("tr")].filter(({ id }) => !id || !document.getElementById(id));
    last.replaceWith(...older.map((row) => document.adoptNode(row)));
    const exports = older.filter((row) => row.matches(".export"));
    announce(exports.length ? `${exports.length} older exports are shown.` : "There are no older exports.");
    (exports[0] ?? older[0])?.querySelector("a").focus();
  } catch (error) {
    link.removeAttribute("aria-disabled");
    last.querySelector(".error").textContent = `${error.message} Try again.`;
  }
}

/** What a row says, without how long ago it was. */
function text(row) {
  const copy = row.cloneNode(true);
  for (const ago of copy.querySelectorAll("[data-ago]")) ago.textContent = "";
  return copy.outerHTML;
}

/** Shows what is wrong with the list; an empty text removes it. */
export function showTrouble(message) {
  const notice = document.querySelector("#trouble");
  if (!notice || (notice.textContent === message && notice.hidden === !message)) return;
  notice.textContent = message;
  notice.hidden = !message;
}

function showSignedOut() {
  showTrouble("Your session has ended. ");
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = "Sign in again";
  document.querySelector("#trouble").append(link, ".");
}
