// The details of an export: in a drawer beside the history, or on a page of their own. Both show what has changed.

import { announce, element, load, loadPart } from "./fragments.js";
import { showTrouble } from "./history.js";

const LOOK_MS = 3_000;

/** Opens details in the drawer. Returns a function that loads them again if they are those of this row. */
export function watchDrawer() {
  const drawer = document.querySelector("#drawer");
  let opener;

  async function show(address) {
    drawer.dataset.address = address;
    fill(element("p", { className: "soft" }, "Loading…"));
    drawer.showModal();
    await refresh();
  }

  async function refresh() {
    const address = drawer.dataset.address;
    let content;
    try {
      const found = (await loadPart(address)).querySelector("#export");
      content = [...found.childNodes].map((node) => document.adoptNode(node));
    } catch (error) {
      const again = element("button", { type: "button", className: "button", onclick: refresh }, "Try again");
      content = [element("p", { className: "notice bad", role: "alert" }, error.message), again];
    }
    if (drawer.open && drawer.dataset.address === address) fill(...content);
  }

  function fill(...content) {
    const close = element("button", { type: "button", className: "close", "aria-label": "Close" });
    close.onclick = () => drawer.close();
    const hadFocus = drawer.open;
    const scrolled = drawer.scrollTop;
    drawer.replaceChildren(close, ...content);
    drawer.scrollTop = scrolled;
    if (hadFocus) (drawer.querySelector("#export-title") ?? close).focus({ preventScroll: true });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-drawer]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    opener = link.closest("tr").id;
    show(link.href);
  });
  drawer.addEventListener("click", ({ target }) => target === drawer && drawer.close());
  // The row may have been replaced meanwhile, so the browser cannot always give the focus back.
  drawer.addEventListener("close", () => document.getElementById(opener)?.querySelector(".range").focus());
  return (row) => {
    if (drawer.open && row.id === opener) refresh();
  };
}

/** Keeps a page of details up to date until the export is finished. */
export function watchDetailsPage() {
  const page = document.querySelector("#export");
  if (!page?.querySelector("progress")) return;
  setTimeout(async () => {
    try {
      const found = (await loadPart(location.href)).querySelector("#export");
      if (found.innerHTML !== page.innerHTML) page.replaceChildren(...found.childNodes);
    } catch {
      // The next look may succeed.
    }
    watchDetailsPage();
  }, LOOK_MS);
}

/** Sends the forms that cancel an export, and calls `done` after it. */
export function watchCancel(done) {
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-cancel]");
    if (!form) return;
    event.preventDefault();
    const button = form.querySelector("button");
    if (button.getAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    try {
      const { status } = await load(form.action, { method: "POST" });
      if (status !== 200) throw new Error("The export could not be cancelled.");
      await done();
    } catch (error) {
      button.removeAttribute("aria-disabled");
      showTrouble(`${error.message} Try again.`);
      announce(error.message);
    }
  });
}

/** Copies what the buttons with `data-copy` name. */
export function watchCopying() {
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-copy]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copy).textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.firstChild.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
    }
  });
}

/** Asks before a form with `data-confirm` is sent. */
export function askFirst() {
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !confirm(question)) event.preventDefault();
  });
}
