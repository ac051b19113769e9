// Parts of the page that are loaded while it is open.
//
// The browser parses them as documents of their own, in which no script runs. Nothing makes HTML of text here, so the
// page's policy can forbid that to every script.

const TIMEOUT_MS = 15_000;

/** What is shown when there was no answer. */
export const NO_ANSWER = "There is no connection to the server.";

/**
 * Loads an address of the page. Returns its status, the address after redirects, and the document, which is null if the
 * answer is no HTML. Rejects if there is no answer: the browser is offline, or somebody pressed Stop.
 */
export function load(address, { method = "GET", body, timeout = TIMEOUT_MS } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    request.responseType = "document";
    request.timeout = timeout;
    request.onload = () =>
      resolve({ status: request.status, url: request.responseURL, content: request.response });
    request.onerror = request.onabort = request.ontimeout = () => reject(new Error(NO_ANSWER));
    request.send(body);
  });
}

/** Loads an address and throws what its error page says, unless the status is 200. */
export async function loadPart(address, options) {
  const answer = await load(address, options);
  if (answer.status !== 200) throw new PartError(answer);
  return answer.content;
}

/** The refusal of a part. */
export class PartError extends Error {
  constructor({ status, content }) {
    const detail = content?.querySelector("#error_detail")?.textContent;
    super(status === 401 ? "Your session has ended." : (detail ?? "Something went wrong on our side."));
    this.isSignedOut = status === 401;
  }
}

/** Makes an element: its tag, its properties and its children. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** Says something to a screen reader. */
export function announce(text) {
  const announcer = document.querySelector("#announcer");
  if (announcer && text) announcer.textContent = text;
}
