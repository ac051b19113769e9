//! The page of the export form.

use std::collections::BTreeMap;

use askama::Template;
use chrono::{DateTime, Months, NaiveDate, Utc};
use usage_export::auth::Caller;
use usage_export::directory::{Workspace, WorkspaceKind};
use usage_export::wording::counted;

use super::fields::{FIELD_PRESETS, FieldGroup, FieldPreset};
use super::layout::Layout;
use super::preview::PreviewPart;
use crate::day;
use crate::form::{DatePreset, ExportForm};
use crate::time_zone::TimeZone;

/// How far back the calendar goes. The date inputs take earlier days too.
const CALENDAR_MONTHS: Months = Months::new(20 * 12);

/// The first day of "All time" for an organization whose workspaces do not say when they were created.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2000, 1, 1).expect("a day");

/// How many workspaces are listed for a browser without JavaScript. Others are named by their ids.
const MAX_CHECKBOXES: usize = 200;

/// Values of `form.html`.
#[derive(Debug, Template)]
#[template(path = "form.html")]
pub struct FormPage {
    layout: Layout,
    form: ExportForm,
    /// The first day of the calendar.
    calendar_first: String,
    start: DateInput,
    end: DateInput,
    presets: PresetButtons,
    time_zone: String,
    workspaces: Workspaces,
    groups: Vec<FieldGroup>,
    field_presets: &'static [FieldPreset],
    /// What the form would export, in words.
    summary: String,
    /// What the file will be, for a browser without JavaScript that has asked for it.
    preview: Option<PreviewPart>,
}

/// The buttons of the date presets: values of `presets.html`.
#[derive(Debug, Template)]
#[template(path = "presets.html")]
pub struct PresetButtons {
    /// Today in the form's time zone.
    today: String,
    buttons: Vec<PresetButton>,
}

/// A date preset.
#[derive(Debug)]
struct PresetButton {
    preset: DatePreset,
    start: String,
    end: String,
}

/// A date of the form.
#[derive(Debug)]
struct DateInput {
    /// For the browser's date input: `2025-01-31`, or empty if what was typed is no date.
    iso: String,
    /// For the script's text input: `01/31/2025`, or what was typed.
    us: String,
}

/// The workspaces of the organization.
#[derive(Debug)]
struct Workspaces {
    /// For a browser without JavaScript: by name, deleted ones last, [`MAX_CHECKBOXES`] at most.
    options: Vec<WorkspaceOption>,
    /// The ids that are chosen and not among the options.
    others: String,
    /// The ids that are chosen.
    chosen: String,
    /// How many there are that are nobody's own.
    shared: usize,
    /// How many personal workspaces there are: one for each member, also of those who have left.
    personal: usize,
    /// All of them, in words.
    everything: String,
    /// Whose the personal workspaces are, in words.
    members: String,
    /// The first day on which one of them can have runs.
    first_day: NaiveDate,
}

/// A workspace to choose.
#[derive(Debug)]
pub struct WorkspaceOption {
    /// Its id.
    pub id: String,
    /// Its name, or its id if it has no name.
    pub name: String,
    /// Whether it was deleted.
    pub deleted: bool,
}

impl FormPage {
    /// The page with this form. `workspaces` are all of the organization's by their ids.
    pub fn new(
        caller: &Caller,
        form: ExportForm,
        workspaces: BTreeMap<String, Workspace>,
        now: DateTime<Utc>,
    ) -> Self {
        let zone = TimeZone::from_name_or_utc(Some(&form.choices.time_zone));
        let workspaces = Workspaces::new(workspaces, &form);
        Self {
            layout: Layout::signed_in(caller),
            calendar_first: day::iso(now.date_naive() - CALENDAR_MONTHS),
            start: DateInput::new(&form.choices.start_date),
            end: DateInput::new(&form.choices.end_date),
            presets: PresetButtons::new(&zone, workspaces.first_day, now),
            time_zone: zone.name().to_owned(),
            groups: FieldGroup::all(&form.choices.fields),
            field_presets: &FIELD_PRESETS,
            summary: summary(&form, &workspaces),
            workspaces,
            form,
            preview: None,
        }
    }

    /// With what the file will be.
    pub fn with_preview(self, preview: PreviewPart) -> Self {
        Self { preview: Some(preview), ..self }
    }
}

impl PresetButtons {
    /// The presets, counted from today in this time zone.
    pub fn new(zone: &TimeZone, first_day: NaiveDate, now: DateTime<Utc>) -> Self {
        let today = zone.day_of(now);
        let button = |preset: DatePreset| {
            let (start, end) = preset.range(today, first_day);
            PresetButton { preset, start: day::iso(start), end: day::iso(end) }
        };
        Self { today: day::iso(today), buttons: DatePreset::ALL.map(button).into() }
    }
}

impl DateInput {
    fn new(typed: &str) -> Self {
        match day::read(typed) {
            Ok(read) => Self { iso: day::iso(read), us: day::us(read) },
            Err(_) => Self { iso: String::new(), us: typed.to_owned() },
        }
    }
}

impl Workspaces {
    fn new(workspaces: BTreeMap<String, Workspace>, form: &ExportForm) -> Self {
        let is_personal = |workspace: &&Workspace| workspace.kind == WorkspaceKind::Personal;
        let personal = workspaces.values().filter(is_personal).count();
        let first_day = first_day(&workspaces);
        let mut options = shared(workspaces);
        let shared = options.len();
        options.truncate(MAX_CHECKBOXES);
        let ids = &form.choices.workspace_ids;
        let others = ids.iter().filter(|id| options.iter().all(|option| option.id != **id));
        let others: Vec<_> = others.map(String::as_str).collect();
        let chosen: Vec<_> = ids.iter().map(String::as_str).collect();
        Self {
            others: others.join("\n"),
            chosen: chosen.join(" "),
            options,
            shared,
            personal,
            everything: format!("{} and {personal} personal", counted(shared as u64, "workspace")),
            members: counted(personal as u64, "member"),
            first_day,
        }
    }
}

/// The first day on which one of the workspaces can have runs.
pub fn first_day(workspaces: &BTreeMap<String, Workspace>) -> NaiveDate {
    let created: Option<Vec<_>> = workspaces.values().map(|workspace| workspace.created_ts).collect();
    created.and_then(|created| created.into_iter().min()).map_or(FIRST_DAY, |first| first.date_naive())
}

/// The workspaces to choose from: those that are nobody's own, by name, deleted ones last.
pub fn shared(workspaces: BTreeMap<String, Workspace>) -> Vec<WorkspaceOption> {
    let shared =
        workspaces.into_iter().filter(|(_, workspace)| workspace.kind == WorkspaceKind::Organization);
    let mut options: Vec<_> = shared
        .map(|(id, workspace)| WorkspaceOption {
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
fn summary(form: &ExportForm, workspaces: &Workspaces) -> String {
    let choices = &form.choices;
    let personal = if choices.personal_workspaces { workspaces.personal } else { 0 };
    let chosen = if choices.shared_workspaces { workspaces.shared } else { choices.workspace_ids.len() };
    let count =
        if choices.all_workspaces { workspaces.shared + workspaces.personal } else { chosen + personal };
    let (start, end) = (DateInput::new(&choices.start_date).us, DateInput::new(&choices.end_date).us);
    let count = counted(count as u64, "workspace");
    format!("{count} · {start} – {end} · {}", counted(choices.fields.len() as u64, "field"))
}
