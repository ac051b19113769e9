//! The history: filters, and a table of exports.

use askama::Template;
use usage_export::auth::Caller;
use usage_export::directory::saved_export::SavedExport;
use uuid::Uuid;

use super::layout::Layout;
use super::row::Row;
use crate::filter::{HistoryFilter, StatusFilter};
use crate::path::PAGE;

/// The page: values of `history.html`.
#[derive(Debug, Template)]
#[template(path = "history.html")]
pub struct HistoryPage {
    layout: Layout,
    filter: HistoryFilter,
    statuses: [StatusFilter; 4],
    rows: HistoryRows,
    /// Whether the history does not begin with the newest export.
    is_older: bool,
    /// What has just happened.
    notice: Notice,
    /// The saved exports of the organization.
    saved: Vec<SavedRow>,
}

/// What has just happened.
#[derive(Debug)]
pub enum Notice {
    /// Nothing that is told.
    None,
    /// An export was started; an email about it goes to this address.
    Started(String),
    /// A form was saved under this name.
    Saved(String),
}

/// A saved export in the list.
#[derive(Debug)]
struct SavedRow {
    saved: SavedExport,
    /// Random, so that a button that is pressed twice starts one export.
    idempotency_key: String,
}

/// What the history page is made from.
#[derive(Debug)]
pub struct History {
    /// The exports, newest first.
    pub rows: Vec<Row>,
    /// Cursor of the exports that follow, if there are any.
    pub next: Option<String>,
}

/// Rows of the table, and a link to those that follow: values of `history_rows.html`.
#[derive(Debug, Template)]
#[template(path = "history_rows.html")]
pub struct HistoryRows {
    page: &'static str,
    filter: HistoryFilter,
    /// The exports, newest first.
    rows: Vec<Row>,
    next: Option<String>,
}

/// Rows by themselves, in a document that the script takes them out of: values of `fragment_rows.html`.
#[derive(Debug, Template)]
#[template(path = "fragment_rows.html")]
pub struct RowsFragment {
    rows: HistoryRows,
}

impl HistoryPage {
    /// The history that a filter leaves, and the saved exports. `is_older` tells that there are newer exports.
    pub fn new(
        caller: &Caller,
        filter: &HistoryFilter,
        history: History,
        saved: Vec<SavedExport>,
        is_older: bool,
        notice: Notice,
    ) -> Self {
        let row = |saved| SavedRow { saved, idempotency_key: Uuid::new_v4().to_string() };
        Self {
            layout: Layout::signed_in(caller),
            statuses: StatusFilter::ALL,
            rows: HistoryRows::new(filter, history),
            filter: filter.clone(),
            is_older,
            notice,
            saved: saved.into_iter().map(row).collect(),
        }
    }
}

impl HistoryRows {
    fn new(filter: &HistoryFilter, History { rows, next }: History) -> Self {
        Self { page: PAGE, filter: filter.clone(), rows, next }
    }
}

impl RowsFragment {
    /// The rows of this part of the history.
    pub fn new(filter: &HistoryFilter, history: History) -> Self {
        Self { rows: HistoryRows::new(filter, history) }
    }
}
