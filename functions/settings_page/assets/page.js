// The page's script. Without it the page still works: native date inputs, the full list, a form that is posted.

import htmx from "htmx.org";
import "cally";

import { sameEverywhere, watchDates } from "./script/dates.js";
import { watchFields } from "./script/fields.js";
import { enter, openLinkedExport, watchAges } from "./script/history.js";
import { watchSending } from "./script/send.js";
import { watchSummary } from "./script/summary.js";
import { watchWorkspaces } from "./script/workspaces.js";

sameEverywhere();
enter();
const form = document.querySelector("#export-form");
if (form) {
  const dates = watchDates(form);
  watchWorkspaces(form);
  watchFields(form);
  watchSummary(form, dates);
  watchSending(form, dates);
  openLinkedExport(htmx);
  watchAges();
}
