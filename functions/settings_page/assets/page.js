// Entry point of the page's script. Without it the page still works: with the browser's own date inputs, the whole list
// of workspaces, and a form that is posted.

import htmx from "htmx.org";
import "cally";

import { useTextInputs, watchDates } from "./script/dates.js";
import { watchFields } from "./script/fields.js";
import { cleanAddress, openLinkedExport, watchAges } from "./script/history.js";
import { watchSending } from "./script/send.js";
import { watchSummary } from "./script/summary.js";
import { watchWorkspaces } from "./script/workspaces.js";

useTextInputs();
cleanAddress();
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
