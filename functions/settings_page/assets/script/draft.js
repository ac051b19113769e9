// What is typed into the form survives a reload and the way back to it.

const PREFIX = "export-form ";
const SAVE_AFTER_MS = 300;

/**
 * Restores what was typed at this address, if the reader has come back to it, and keeps what is typed from now on. Returns a
 * function that forgets it, for a form that was sent.
 */
export function keepDraft(form) {
  const key = PREFIX + location.pathname + location.search;
  const [{ type } = {}] = performance.getEntriesByType("navigation");
  const kept = read(key);
  if (kept && (type === "back_forward" || type === "reload")) restore(form, kept);
  let timer;
  let isSent = false;
  const save = () => !isSent && write(key, [...new FormData(form)]);
  form.addEventListener("changed", () => {
    clearTimeout(timer);
    timer = setTimeout(save, SAVE_AFTER_MS);
  });
  addEventListener("pagehide", save);
  return () => {
    isSent = true;
    clearTimeout(timer);
    dropDrafts();
  };
}

/** Forgets all drafts: an export was started. */
export function dropDrafts() {
  try {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
    }
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}

function restore(form, entries) {
  for (const box of form.querySelectorAll("[name=export_fields], #personal")) box.checked = false;
  const picker = form.querySelector("#picker");
  if (picker) delete picker.dataset.shared;
  for (const [name, value] of entries) {
    if (name === "workspace_ids" && picker) picker.dataset.chosen = value;
    else if (name === "shared_workspaces" && picker) picker.dataset.shared = "";
    else if (name === "time_zone") setOption(form.elements.time_zone, value);
    else if (name === "export_fields") check(form, name, value);
    else if (name === "workspaces") check(form, name, value);
    else if (name === "include_personal_workspaces") form.querySelector("#personal").checked = true;
    else if (name === "start_date" || name === "end_date") form.elements[name].dataset.typed = value;
    else if (["idempotency_key", "preset", "name"].includes(name)) form.elements[name].value = value;
  }
}

function check(form, name, value) {
  const box = form.querySelector(`[name=${name}][value="${CSS.escape(value)}"]`);
  if (box) box.checked = true;
}

function setOption(select, value) {
  if (![...select.options].some((option) => option.value === value)) select.add(new Option(value, value));
  select.value = value;
}

// A browser may forbid to keep anything. Then a reload forgets the form, as it does without the script.
function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, entries) {
  try {
    sessionStorage.setItem(key, JSON.stringify(entries));
  } catch {
    // As above.
  }
}
