// Addresses that lead to the page from elsewhere.

/**
 * Goes on to the page from the link of another site, leads old links to one export to its page, and removes parameters that
 * are meant for one request.
 */
export function cleanAddress() {
  const entering = document.querySelector("#entering");
  if (entering) return location.replace(entering.dataset.location + location.hash);
  const signIn = document.querySelector("#sign-in");
  signIn?.addEventListener("submit", () => (signIn.action += location.hash));
  // Emails of earlier versions link to a row of the history.
  const id = /^#export-([0-9a-f-]{36})$/.exec(location.hash)?.[1];
  const page = document.querySelector("#exports")?.dataset.page;
  if (id && page) return location.replace(`${page}/exports/${id}`);
  const address = new URL(location);
  for (const name of ["entered", "started", "saved"]) address.searchParams.delete(name);
  if (address.href !== location.href) history.replaceState(null, "", address);
}
