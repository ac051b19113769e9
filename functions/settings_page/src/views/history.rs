//! The history: filters, and a table of exports.

use askama::Template;
use usage_export::auth::Caller;

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
    /// The reader's address, to which the email about an export that was just started goes.
    started: Option<String>,
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
    /// The history that a filter leaves. `has_started` tells that its first row is an export that was just started; `is_older`
    /// that there are newer ones.
    pub fn new(
        caller: &Caller,
        filter: &HistoryFilter,
        history: History,
        is_older: bool,
        has_started: bool,
    ) -> Self {
        Self {
            layout: Layout::signed_in(caller),
            statuses: StatusFilter::ALL,
            rows: HistoryRows::new(filter, history),
            filter: filter.clone(),
            is_older,
            started: has_started.then(|| caller.email.clone()),
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
