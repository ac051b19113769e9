//! The page: the form in three steps, and the history.

use askama::Template;
use chrono::{DateTime, Months, Utc};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use usage_export::auth::Caller;
use usage_export::directory::WorkspaceKind;
use usage_export::export::created_ts_of_id;
use usage_export::problem::{Problem, RequestError};
use usage_export::usage::{FIELDS, Group};
use usage_export::wording::counted;

use crate::form::ExportForm;
use crate::history::Row;
use crate::respond::{Frame, SignedIn, html};
use crate::{Context, day, query};

/// How far back the calendar goes.
const CALENDAR_YEARS: Months = Months::new(10 * 12);

#[derive(Template)]
#[template(path = "page.html")]
pub struct Page {
    frame: Frame,
    form: ExportForm,
    /// Today, for presets and the calendar.
    today: String,
    calendar_min: String,
    start: DateInput,
    end: DateInput,
    workspaces: Vec<WorkspaceOption>,
    /// How many personal workspaces there are: one for each member, also of those who have left.
    personal: usize,
    /// All there is, and who the personal workspaces belong to, in words.
    everything: String,
    members: String,
    groups: Vec<FieldGroup>,
    summary: String,
    rows: Vec<Row>,
    next: Option<String>,
    /// Whether this is not the newest page of the history.
    is_older: bool,
}

/// A date as the input has it.
struct DateInput {
    iso: String,
    us: String,
}

/// A workspace in the list.
struct WorkspaceOption {
    id: String,
    name: String,
    deleted: bool,
    checked: bool,
}

/// A group of fields.
struct FieldGroup {
    id: &'static str,
    label: &'static str,
    fields: Vec<FieldOption>,
}

/// A field in its group.
struct FieldOption {
    id: &'static str,
    label: &'static str,
    checked: bool,
}

/// The page as it stands: an empty form, or one filled with what an earlier export was asked for.
pub async fn show(
    context: &Context,
    request: &Request,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    let form = match query(request, "again") {
        Some(id) => ExportForm::again(&context.exports.get_owned_by(caller, &id).await?),
        None => ExportForm::blank(now),
    };
    let cursor = query(request, "cursor").filter(|cursor| created_ts_of_id(cursor).is_some());
    let created = query(request, "created");
    let page = fill(context, caller, form, cursor.as_deref(), created.as_deref(), now).await?;
    html(StatusCode::OK, &page)
}

/// Who is signed in, for the page's head.
pub fn signed_in(caller: &Caller) -> SignedIn {
    SignedIn { email: caller.email.clone(), organization: caller.organization_name.clone() }
}

/// The page around this form.
pub async fn fill(
    context: &Context,
    caller: &Caller,
    form: ExportForm,
    cursor: Option<&str>,
    created: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Page, RequestError> {
    let (directory, exports) = (&context.directory, &context.exports);
    let (all, (rows, next)) = tokio::try_join!(
        async { Ok::<_, RequestError>(directory.all_workspaces(&caller.organization_id).await?) },
        history(exports, caller, cursor, created, now),
    )?;
    let personal = all.values().filter(|workspace| workspace.kind == WorkspaceKind::Personal).count();
    let mut workspaces: Vec<_> = all
        .into_iter()
        .filter(|(_, workspace)| workspace.kind == WorkspaceKind::Organization)
        .map(|(id, workspace)| WorkspaceOption {
            checked: form.workspace_ids.contains(&id),
            deleted: workspace.deleted_ts.is_some(),
            name: workspace.name,
            id,
        })
        .collect();
    workspaces.sort_by_cached_key(|workspace| (workspace.deleted, workspace.name.to_lowercase()));
    let today = now.date_naive();
    Ok(Page {
        frame: Frame::new(Some(signed_in(caller))),
        today: day::iso(today),
        calendar_min: day::iso(today - CALENDAR_YEARS),
        start: DateInput::of(&form.start_date),
        end: DateInput::of(&form.end_date),
        everything: format!("{} and {personal} personal", counted(workspaces.len() as u64, "workspace")),
        members: counted(personal as u64, "member"),
        personal,
        groups: groups(&form),
        summary: summary(&form, workspaces.len() + personal, personal),
        workspaces,
        rows,
        next,
        is_older: cursor.is_some(),
        form,
    })
}

/// A page of the history. The export that was just created is on top of the newest one, also while the index that the
/// list is read from does not have it yet.
async fn history(
    exports: &usage_export::export::store::Exports,
    caller: &Caller,
    cursor: Option<&str>,
    created: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(Vec<Row>, Option<String>), RequestError> {
    let (listed, next) = exports.history(&caller.organization_id, &caller.user_id, cursor).await?;
    let mut rows: Vec<_> = listed.iter().map(|export| Row::of(export, now)).collect();
    if let Some(created) = created
        && !rows.iter().any(|row| row.id == created)
    {
        match exports.get_owned_by(caller, created).await {
            Ok(export) => rows.insert(0, Row::of(&export, now)),
            // An address that was kept: the page is still of use.
            Err(RequestError::Refused(Problem { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((rows, next))
}

impl DateInput {
    fn of(typed: &str) -> Self {
        match day::read(typed) {
            Some(read) => Self { iso: day::iso(read), us: day::us(read) },
            None => Self { iso: String::new(), us: typed.to_owned() },
        }
    }
}

fn groups(form: &ExportForm) -> Vec<FieldGroup> {
    let groups = [
        (Group::Workspace, "workspace", "Workspace"),
        (Group::Workbook, "workbook", "Workbook"),
        (Group::User, "user", "User"),
        (Group::Run, "run", "Run"),
    ];
    groups
        .into_iter()
        .map(|(group, id, label)| FieldGroup {
            id,
            label,
            fields: FIELDS
                .iter()
                .filter(|info| info.group == group)
                .map(|info| FieldOption {
                    id: info.id,
                    label: info.label,
                    checked: form.fields.contains(info.id),
                })
                .collect(),
        })
        .collect()
}

/// What the form would export: `12 workspaces · 01/01/2025 – 03/31/2025 · 11 fields`. The script keeps it so.
fn summary(form: &ExportForm, all: usize, personal: usize) -> String {
    let personal = if form.personal_workspaces { personal } else { 0 };
    let workspaces = if form.all_workspaces { all } else { form.workspace_ids.len() + personal };
    let (start, end) = (DateInput::of(&form.start_date).us, DateInput::of(&form.end_date).us);
    let workspaces = counted(workspaces as u64, "workspace");
    format!("{workspaces} · {start} – {end} · {}", counted(form.fields.len() as u64, "field"))
}
