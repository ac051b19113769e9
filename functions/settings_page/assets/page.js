// Entry point of the page's script. Without it the page still works: with the browser's own date inputs, a list of
// workspaces and a field for their ids, and forms that are posted.

import { cleanAddress } from "./script/address.js";
import { watchAges } from "./script/ages.js";
import { watchDates } from "./script/dates.js";
import { askFirst, watchCancel, watchCopying, watchDetailsPage, watchDrawer } from "./script/details.js";
import { dropDrafts, keepDraft } from "./script/draft.js";
import { watchFields } from "./script/fields.js";
import { watchHistory } from "./script/history.js";
import { watchPreview } from "./script/preview.js";
import { watchSending } from "./script/send.js";
import { watchSummary } from "./script/summary.js";
import { watchWorkspaces } from "./script/workspaces.js";

cleanAddress();
watchCopying();
const form = document.querySelector("#export-form");
if (form) {
  const forget = keepDraft(form);
  const dates = watchDates(form);
  const workspaces = watchWorkspaces(form);
  watchFields(form);
  watchSummary(form, dates, workspaces);
  watchPreview(form, () => dates.isValid() && workspaces.count() > 0 && form.querySelector("[name=export_fields]:checked"));
  watchSending(form, dates, workspaces, forget);
} else if (document.querySelector("#exports")) {
  if (document.querySelector("#started")) dropDrafts();
  document.querySelector("#started, #saved-notice")?.focus();
  askFirst();
  const refreshDrawer = watchDrawer();
  const look = watchHistory(refreshDrawer);
  watchCancel(look);
  watchAges();
} else {
  watchCancel(() => location.reload());
  watchDetailsPage();
}
