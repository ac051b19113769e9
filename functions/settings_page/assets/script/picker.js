// The list of workspaces, in which one searches and selects. Only the rows that are seen exist, so it is as fast with
// thousands of them as with ten. It is one stop of the Tab key: arrow keys move in it, Space selects.
// https://www.w3.org/WAI/ARIA/apg/patterns/listbox/

import { element } from "./fragments.js";

const TYPE_AHEAD_MS = 700;
const MARGIN_ROWS = 4;
const number = new Intl.NumberFormat("en-US");

/**
 * Makes the list in `root`. `isAll` tells whether everything is chosen anyhow; `narrow` is called before something is taken
 * away then; `loaded` once the workspaces are there; `changed` after each change.
 */
export function makePicker(root, { isAll, narrow, loaded, changed }) {
  const find = (id) => root.querySelector(`#${id}`);
  const [search, list, all, label] = ["workspace_search", "workspace_list", "workspace_all", "workspace_all_label"].map(find);
  const [count, onlyChosen, none] = ["workspace_count", "workspace_shown", "workspace_none"].map(find);
  const space = element("div", { className: "picker-space", role: "presentation" });
  list.append(space);
  const chosen = new Set(root.dataset.chosen.split(" ").filter(Boolean));
  let rows = [];
  let shown = [];
  let active = -1;
  let rowHeight = 40;
  let typed = { text: "", at: 0 };

  const isChosen = ({ id }) => isAll() || chosen.has(id);
  // Until the list is there, the form says whether all of it is chosen.
  const hasAll = () => (rows.length ? rows.every(({ id }) => chosen.has(id)) : "shared" in root.dataset);
  /** Ids that are chosen and not in the list, such as a personal workspace that a program has named. */
  const others = () => {
    const listed = new Set(rows.map(({ id }) => id));
    return [...chosen].filter((id) => !listed.has(id));
  };
  const chooseAll = () => rows.forEach(({ id }) => chosen.add(id));

  /** Loads the workspaces: the page itself has only their number. */
  async function load() {
    none.textContent = "Loading the workspaces…";
    try {
      const answer = await fetch(root.dataset.source);
      if (!answer.ok) throw new Error(answer.statusText);
      const listed = await answer.json();
      await othersTurn();
      rows = listed.map(([id, name, isDeleted]) => ({ id, name, isDeleted, text: fold(`${name} ${id}`) }));
      if ("shared" in root.dataset) chooseAll();
      await othersTurn();
      filter();
      loaded();
    } catch {
      const again = element("button", { type: "button", className: "button", onclick: load }, "Try again");
      none.replaceChildren("The workspaces could not be loaded. ", again);
    }
  }

  function filter() {
    const words = fold(search.value).split(/\s+/).filter(Boolean);
    const wanted = onlyChosen.getAttribute("aria-pressed") === "true" && new Set(rows.filter(isChosen));
    shown = rows.filter((row) => (!wanted || wanted.has(row)) && words.every((word) => row.text.includes(word)));
    active = shown.length ? 0 : -1;
    list.scrollTop = 0;
    none.hidden = shown.length > 0;
    none.textContent = wanted && !words.length ? "No workspace is selected." : "No workspace matches.";
    draw();
  }

  /** Draws the rows that are seen, and what is said about all of them. */
  function draw() {
    rowHeight = list.classList.contains("is-coarse") ? 44 : 40;
    space.style.height = `${shown.length * rowHeight}px`;
    const first = Math.max(0, Math.floor(list.scrollTop / rowHeight) - MARGIN_ROWS);
    const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / rowHeight) + MARGIN_ROWS);
    const drawn = [];
    for (let index = first; index < last; index += 1) drawn.push(drawRow(shown[index], index));
    space.replaceChildren(...drawn);
    if (active >= 0) list.setAttribute("aria-activedescendant", `workspace-${active}`);
    else list.removeAttribute("aria-activedescendant");
    const ticked = shown.reduce((sum, row) => sum + isChosen(row), 0);
    all.checked = ticked > 0 && ticked === shown.length;
    all.indeterminate = ticked > 0 && ticked < shown.length;
    all.disabled = shown.length === 0;
    label.textContent = labelFor(shown.length, rows.length);
    const total = isAll() ? rows.length : chosen.size;
    const text = `${number.format(total)} selected`;
    if (count.textContent !== text) count.textContent = text;
  }

  function drawRow(row, index) {
    const tags = row.isDeleted ? [element("span", { className: "tag" }, "Deleted")] : [];
    const made = element(
      "div",
      {
        id: `workspace-${index}`,
        role: "option",
        className: index === active ? "option is-active" : "option",
        "aria-selected": String(isChosen(row)),
        "aria-setsize": String(shown.length),
        "aria-posinset": String(index + 1),
      },
      element("span", { className: "box", "aria-hidden": "true" }),
      element("bdi", { className: "name" }, row.name),
      ...tags,
      element("code", {}, row.id),
    );
    made.dataset.index = index;
    made.style.top = `${index * rowHeight}px`;
    made.style.height = `${rowHeight}px`;
    return made;
  }

  /** Selects rows or takes them away. */
  function set(wanted, isWanted) {
    if (isAll()) {
      if (isWanted) return;
      chooseAll();
      narrow();
    }
    for (const { id } of wanted) {
      if (isWanted) chosen.add(id);
      else chosen.delete(id);
    }
    draw();
    changed();
  }

  function move(index) {
    active = Math.max(0, Math.min(shown.length - 1, index));
    const [top, height] = [active * rowHeight, list.clientHeight];
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + rowHeight > list.scrollTop + height) list.scrollTop = top + rowHeight - height;
    draw();
  }

  /** Whether a space belongs to the name that is being typed. */
  function isTypingName(now) {
    const text = `${typed.text} `;
    return typed.text && now - typed.at < TYPE_AHEAD_MS && shown.some((row) => row.text.startsWith(text));
  }

  /** Moves to the next row whose name begins with what is typed. */
  function typeAhead(key, now) {
    typed = { text: (now - typed.at < TYPE_AHEAD_MS ? typed.text : "") + fold(key), at: now };
    const from = typed.text.length > 1 ? active : active + 1;
    const order = shown.map((_, index) => (from + index) % shown.length);
    const found = order.find((index) => shown[index].text.startsWith(typed.text));
    if (found !== undefined) move(found);
  }

  list.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(list.clientHeight / rowHeight) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -shown.length, End: shown.length };
    if (event.altKey || !shown.length) return;
    if (event.key in steps) {
      const isWanted = isChosen(shown[active]);
      move(active + steps[event.key]);
      if (event.shiftKey) set([shown[active]], isWanted);
    } else if (event.key === " " && !isTypingName(event.timeStamp)) set([shown[active]], !isChosen(shown[active]));
    else if ((event.ctrlKey || event.metaKey) && event.key === "a") set(shown, true);
    else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) typeAhead(event.key, event.timeStamp);
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", ({ target }) => {
    const index = Number(target.closest(".option")?.dataset.index ?? -1);
    if (index < 0) return;
    active = index;
    set([shown[index]], !isChosen(shown[index]));
    draw();
  });
  list.addEventListener("scroll", draw, { passive: true });
  all.addEventListener("change", () => set(shown, all.checked));
  onlyChosen.addEventListener("click", () => {
    onlyChosen.setAttribute("aria-pressed", String(onlyChosen.getAttribute("aria-pressed") !== "true"));
    filter();
  });
  search.addEventListener("input", filter);
  search.addEventListener("keydown", (event) => {
    // Enter would send the form.
    if (event.key === "Enter") event.preventDefault();
    if (event.key === "ArrowDown") list.focus();
  });
  search.addEventListener("paste", (event) => {
    const ids = event.clipboardData.getData("text").split(/[\s,;"]+/).filter(Boolean);
    const known = new Map(rows.map((row) => [row.id, row]));
    const found = ids.filter((id) => known.has(id));
    if (ids.length < 2 || !found.length) return;
    event.preventDefault();
    selectOnly(found.map((id) => known.get(id)));
    const missing = ids.filter((id) => !known.has(id));
    if (missing.length) count.textContent += `; unknown: ${missing.slice(0, 3).join(", ")}${missing.length > 3 ? " …" : ""}`;
  });

  /** Adds pasted workspaces to the selection; where all were selected, these alone are. */
  function selectOnly(wanted) {
    if (isAll()) {
      chosen.clear();
      narrow();
    }
    set(wanted, true);
  }

  const coarse = matchMedia("(pointer: coarse)");
  const fit = () => list.classList.toggle("is-coarse", coarse.matches);
  coarse.addEventListener("change", fit);
  fit();
  load();
  return { chosen, hasAll, others, chooseAll, draw };
}

/** Lets the browser do what else waits, so that no long list blocks it. */
function othersTurn() {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Text as it is searched: without accents and capitals. */
function fold(text) {
  // Most names have neither, and this is done for thousands.
  const plain = /^[\x20-\x7e]*$/.test(text) ? text : text.normalize("NFD").replace(/\p{M}/gu, "");
  return plain.toLowerCase();
}

/** The label of the checkbox that selects every workspace shown. */
function labelFor(visible, total) {
  if (visible === 0) return "Nothing to select";
  if (visible === 1 && total > 1) return "Select the one shown";
  if (visible < total) return `Select the ${number.format(visible)} shown`;
  return `Select all ${number.format(total)}`;
}
