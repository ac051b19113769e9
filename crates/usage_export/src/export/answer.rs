//! What the API answers about exports. The API document is made of these types.

use serde::Serialize;

use super::{DataExport, State};
#[cfg(feature = "schema")]
use crate::schema;
use crate::timestamp;

/// The export was taken in and will be made. A repeat with the same `Idempotency-Key` gets the same answer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Accepted<'a> {
    #[cfg_attr(feature = "schema", schemars(extend("const" = true)))]
    success: bool,
    #[cfg_attr(feature = "schema", schemars(with = "schema::ExportId"))]
    data_export_id: &'a str,
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("const" = State::Requested)))]
    state: State,
    #[cfg_attr(feature = "schema", schemars(with = "schema::Timestamp"))]
    created_ts: String,
}

impl<'a> Accepted<'a> {
    /// As the export was when it was created, whatever has become of it since.
    pub fn new(export: &'a DataExport) -> Self {
        Self {
            success: true,
            data_export_id: &export.data_export_id,
            state: State::Requested,
            created_ts: timestamp::to_text(export.created_ts),
        }
    }
}

/// How an export stands.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Export"))]
pub struct ExportAnswer<'a> {
    #[cfg_attr(feature = "schema", schemars(with = "schema::ExportId"))]
    data_export_id: &'a str,
    state: State,
    #[cfg_attr(feature = "schema", schemars(with = "schema::Timestamp"))]
    created_ts: String,
    /// Percent of the time that is read, over all workspaces. 100 once COMPLETED.
    #[cfg_attr(feature = "schema", schemars(range(max = 100)))]
    progress: u8,
    /// Rows that are written so far, without the header.
    row_count: u64,
    /// The first instant that is included.
    #[cfg_attr(feature = "schema", schemars(with = "schema::Timestamp"))]
    start_ts: String,
    /// The last instant that is included.
    #[cfg_attr(feature = "schema", schemars(with = "schema::Timestamp"))]
    end_ts: String,
    /// Rows that were written per second lately. Only while `IN_PROGRESS`, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows_per_second: Option<u64>,
    /// When the export will be finished. Only while `IN_PROGRESS`, and only if what was read lately took as long as what was read
    /// before: workspaces of different size make an estimate worthless.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Timestamp>"))]
    estimated_finish_ts: Option<String>,
    /// Only when COMPLETED or FAILED.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Timestamp>"))]
    finished_ts: Option<String>,
    /// Size of the file in bytes. Only when COMPLETED.
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    /// CRC-32 of the file. Only when COMPLETED.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Checksum>"))]
    checksum: Option<&'a str>,
    /// The exact sum of `credit_cost` over the rows. Only when COMPLETED, if it is among the fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Decimal>"))]
    credit_cost: Option<&'a str>,
    /// Why the export FAILED, in a sentence; `cancelled` if somebody has cancelled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    /// Until when the file can be downloaded. Only when COMPLETED.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Timestamp>"))]
    expires_ts: Option<String>,
}

impl<'a> ExportAnswer<'a> {
    /// The export as it is stored.
    pub fn new(export: &'a DataExport) -> Self {
        let (interval, speed) = (export.request.interval, export.speed());
        Self {
            data_export_id: &export.data_export_id,
            state: export.state,
            created_ts: timestamp::to_text(export.created_ts),
            progress: export.progress,
            row_count: export.row_count,
            start_ts: timestamp::to_text(interval.start()),
            end_ts: timestamp::to_text(interval.end()),
            rows_per_second: speed.rows_per_second,
            estimated_finish_ts: speed.estimated_finish_ts.map(timestamp::to_text),
            finished_ts: export.finished_ts.map(timestamp::to_text),
            size_bytes: export.size_bytes,
            checksum: export.checksum.as_deref(),
            credit_cost: export.credit_cost.as_deref(),
            error: export.error.as_deref(),
            expires_ts: export.expires_ts.map(timestamp::to_text),
        }
    }
}

/// An export with who asked for it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HistoryEntry<'a> {
    #[serde(flatten)]
    export: ExportAnswer<'a>,
    /// Who asked for it.
    user_id: &'a str,
    /// Their last known email address; absent if the directory does not know them.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_email: Option<&'a str>,
}

impl<'a> HistoryEntry<'a> {
    /// The export as it is stored, and the email address of its owner.
    pub fn new(export: &'a DataExport, user_email: Option<&'a str>) -> Self {
        Self { export: ExportAnswer::new(export), user_id: &export.user_id, user_email }
    }
}

/// A page of the history, newest first.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct History<'a> {
    /// The exports of the page. There may be more after an empty page.
    pub exports: Vec<HistoryEntry<'a>>,
    /// The `cursor` of the next page; absent if there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::ExportId>"))]
    pub next_cursor: Option<String>,
}
