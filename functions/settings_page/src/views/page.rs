//! The page itself: the form in three steps, and the history.

use std::collections::BTreeMap;

use askama::Template;
use chrono::{DateTime, Months, Utc};
use usage_export::auth::Caller;
use usage_export::directory::{Workspace, WorkspaceKind};
use usage_export::wording::counted;

use super::fields::{FIELD_PRESETS, FieldGroup, FieldPreset};
use super::history::HistoryPage;
use super::layout::Layout;
use crate::day;
use crate::form::ExportForm;

/// How far back the calendar goes. The date inputs take earlier days too.
const CALENDAR_MONTHS: Months = Months::new(10 * 12);

/// Values of `page.html`.
#[derive(Debug, Template)]
#[template(path = "page.html")]
pub struct Page {
    layout: Layout,
    form: ExportForm,
    /// Today, from which the script counts the date presets.
    today: String,
    calendar_min: String,
    start: DateInput,
    end: DateInput,
    workspaces: Vec<WorkspaceOption>,
    /// How many personal workspaces there are: one for each member, also of those who have left.
    personal: usize,
    /// All workspaces, in words.
    everything: String,
    /// Whose the personal workspaces are, in words.
    members: String,
    groups: Vec<FieldGroup>,
    presets: &'static [FieldPreset],
    summary: String,
    history: HistoryPage,
    /// Whether the history does not begin with the newest export.
    is_older: bool,
}

/// A date of the form.
#[derive(Debug)]
struct DateInput {
    /// For the browser's date input: `2025-01-31`, or empty if what was typed is no date.
    iso: String,
    /// For the script's text input: `01/31/2025`, or what was typed.
    us: String,
}

/// A workspace in the list.
#[derive(Debug)]
struct WorkspaceOption {
    id: String,
    name: String,
    deleted: bool,
    checked: bool,
}

impl Page {
    /// The page with this form. `workspaces` are all of the organization's by their ids. `is_older` tells that
    /// `history` does not begin with the newest export.
    pub fn new(
        caller: &Caller,
        form: ExportForm,
        workspaces: BTreeMap<String, Workspace>,
        history: HistoryPage,
        is_older: bool,
        now: DateTime<Utc>,
    ) -> Self {
        let is_personal = |workspace: &&Workspace| workspace.kind == WorkspaceKind::Personal;
        let personal = workspaces.values().filter(is_personal).count();
        let workspaces = options(workspaces, &form);
        let today = now.date_naive();
        Self {
            layout: Layout::signed_in(caller),
            today: day::iso(today),
            calendar_min: day::iso(today - CALENDAR_MONTHS),
            start: DateInput::new(&form.start_date),
            end: DateInput::new(&form.end_date),
            everything: format!("{} and {personal} personal", counted(workspaces.len() as u64, "workspace")),
            members: counted(personal as u64, "member"),
            personal,
            groups: FieldGroup::all(&form.fields),
            presets: &FIELD_PRESETS,
            summary: summary(&form, workspaces.len() + personal, personal),
            workspaces,
            history,
            is_older,
            form,
        }
    }
}

impl DateInput {
    fn new(typed: &str) -> Self {
        match day::read(typed) {
            Some(read) => Self { iso: day::iso(read), us: day::us(read) },
            None => Self { iso: String::new(), us: typed.to_owned() },
        }
    }
}

/// The workspaces to choose from: those that are nobody's own, by name, deleted ones last.
fn options(workspaces: BTreeMap<String, Workspace>, form: &ExportForm) -> Vec<WorkspaceOption> {
    let shared =
        workspaces.into_iter().filter(|(_, workspace)| workspace.kind == WorkspaceKind::Organization);
    let mut options: Vec<_> = shared
        .map(|(id, workspace)| WorkspaceOption {
            checked: form.workspace_ids.contains(&id),
            deleted: workspace.deleted_ts.is_some(),
            // A workspace without a name can be chosen by its id.
            name: if workspace.name.is_empty() { id.clone() } else { workspace.name },
            id,
        })
        .collect();
    options.sort_by_cached_key(|workspace| (workspace.deleted, workspace.name.to_lowercase()));
    options
}

/// What the form would export: `12 workspaces · 01/01/2025 – 03/31/2025 · 11 fields`. The script updates it.
fn summary(form: &ExportForm, all: usize, personal: usize) -> String {
    let personal = if form.personal_workspaces { personal } else { 0 };
    let workspaces = if form.all_workspaces { all } else { form.workspace_ids.len() + personal };
    let (start, end) = (DateInput::new(&form.start_date).us, DateInput::new(&form.end_date).us);
    let workspaces = counted(workspaces as u64, "workspace");
    format!("{workspaces} · {start} – {end} · {}", counted(form.fields.len() as u64, "field"))
}
