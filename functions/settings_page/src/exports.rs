//! Parts of the page about one export or a few, each of them the caller's own.

use chrono::{DateTime, Utc};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use usage_export::auth::Caller;
use usage_export::export::{DataExport, State, created_ts_of_id};
use usage_export::problem::{Problem, RequestError};

use crate::history::{Details, DetailsPage, NAMED_WORKSPACES, Older, Progress, Row};
use crate::page::signed_in;
use crate::respond::{Frame, html, redirect};
use crate::route::PAGE;
use crate::{Context, is_fragment, query};

/// Exports that are older than the cursor.
pub async fn older(
    context: &Context,
    request: &Request,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    let cursor = query(request, "cursor").unwrap_or_default();
    if !is_fragment(request) {
        return crate::respond::see_other(&format!("{PAGE}?cursor={}#history", encoded(&cursor)));
    }
    if created_ts_of_id(&cursor).is_none() {
        return Err(Problem::field("cursor", "is not that of an earlier page").into());
    }
    let (exports, next) =
        context.exports.history(&caller.organization_id, &caller.user_id, Some(&cursor)).await?;
    let rows = exports.iter().map(|export| Row::of(export, now)).collect();
    html(StatusCode::OK, &Older { page: PAGE, rows, next })
}

/// One export as a row: the one that an email's link is about, when it is not among the newest.
pub async fn row(
    context: &Context,
    caller: &Caller,
    data_export_id: &str,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    let export = own(context, caller, data_export_id).await?;
    html(StatusCode::OK, &Row::of(&export, now))
}

/// The changing part of a row. A page that waits for an export asks for it again and again.
pub async fn progress(
    context: &Context,
    caller: &Caller,
    data_export_id: &str,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    let export = own(context, caller, data_export_id).await?;
    // Only who saw it unfinished asks for this, so a final state is news.
    let mut progress = Progress::of(&export, now);
    progress.announce = export.state.is_final();
    html(StatusCode::OK, &progress)
}

/// What an export was asked for: as a part of the page, or as a page where there is no JavaScript.
pub async fn details(
    context: &Context,
    caller: &Caller,
    data_export_id: &str,
    fragment: bool,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    let export = own(context, caller, data_export_id).await?;
    let named = export.request.scope.workspace_ids.iter().take(NAMED_WORKSPACES).cloned().collect();
    let workspaces = context.directory.workspaces_of(&caller.organization_id, &named).await?;
    let details = Details::of(&export, |id| Some(workspaces.get(id)?.name.clone()));
    if fragment {
        return html(StatusCode::OK, &details);
    }
    let frame = Frame::new(Some(signed_in(caller)));
    html(StatusCode::OK, &DetailsPage { frame, row: Row::of(&export, now), details })
}

/// Sends the browser to the file, by a URL that is signed now and lives for minutes.
pub async fn download(
    context: &Context,
    caller: &Caller,
    data_export_id: &str,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    let export = own(context, caller, data_export_id).await?;
    if export.state != State::Completed {
        let detail = format!("There is no file: this export is {}.", export.state.name());
        return Err(Problem::new(StatusCode::NOT_FOUND, detail).into());
    }
    redirect(StatusCode::FOUND, &context.files.presign(&export, now).await?)
}

/// The caller's export. A refusal says so in the page's words: nobody there typed a `data_export_id`.
async fn own(context: &Context, caller: &Caller, data_export_id: &str) -> Result<DataExport, RequestError> {
    let detail = |status| match status {
        StatusCode::FORBIDDEN => "This export belongs to another user.",
        _ => "There is no such export: its address may be incomplete.",
    };
    context.exports.get_owned_by(caller, data_export_id).await.map_err(|error| match error {
        RequestError::Refused(problem) => Problem::new(problem.status, detail(problem.status)).into(),
        RequestError::Internal(_) => error,
    })
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
