//! What an export was asked for, in full.

use std::collections::BTreeSet;

use askama::Template;
use chrono::{DateTime, Utc};
use usage_export::auth::Caller;
use usage_export::export::DataExport;
use usage_export::export::request::NamedIds;
use usage_export::usage::FIELDS;

use super::history::{Row, scope_text};
use super::layout::Layout;
use crate::day;

/// How many workspaces and how many workbooks are listed; the rest is counted.
pub const MAX_LISTED: usize = 200;

/// What an export was asked for: values of `details.html`.
#[derive(Debug, Template)]
#[template(path = "details.html")]
pub struct Details {
    /// Times and checksum: label and value.
    facts: Vec<(&'static str, String)>,
    columns: Vec<Column>,
    /// The workspaces in words.
    scope: String,
    workspaces: List<(String, String)>,
    workbooks: List<String>,
}

/// A column of the file.
#[derive(Debug)]
struct Column {
    id: &'static str,
    label: &'static str,
}

/// The first [`MAX_LISTED`] of some items, and how many follow.
#[derive(Debug)]
struct List<T> {
    items: Vec<T>,
    more: usize,
}

impl<T> List<T> {
    /// Of `count` ids. `ids` may be empty, if they are not known any more.
    fn of(ids: &BTreeSet<String>, count: usize, item: impl Fn(&String) -> T) -> Self {
        let items: Vec<_> = ids.iter().take(MAX_LISTED).map(item).collect();
        Self { more: count.saturating_sub(items.len()), items }
    }
}

impl Details {
    /// What `export` was asked for; `ids` are those that its request names. `name_of` gives a workspace's name by its id; it is
    /// only asked for the first [`MAX_LISTED`].
    pub fn new(export: &DataExport, ids: &NamedIds, name_of: impl Fn(&str) -> Option<String>) -> Self {
        let mut facts = vec![("Requested", day::exact(export.created_ts))];
        facts.extend(export.finished_ts.map(|finished_ts| ("Finished", day::exact(finished_ts))));
        facts.extend(export.expires_ts.map(|expires_ts| ("Available until", day::exact(expires_ts))));
        facts.extend(export.checksum.clone().map(|checksum| ("Checksum", checksum)));
        let request = &export.request;
        let infos = request.fields.iter().filter_map(|field| FIELDS.iter().find(|info| info.field == *field));
        Self {
            facts,
            columns: infos.map(|info| Column { id: info.id, label: info.label }).collect(),
            scope: scope_text(&request.scope),
            workspaces: List::of(&ids.workspace_ids, request.scope.workspace_count, |id| {
                (name_of(id).unwrap_or_default(), id.clone())
            }),
            workbooks: List::of(&ids.entity_ids, request.scope.workbook_count, String::clone),
        }
    }
}

/// The details as a page of their own, for browsers without JavaScript: values of `details_page.html`.
#[derive(Debug, Template)]
#[template(path = "details_page.html")]
pub struct DetailsPage {
    layout: Layout,
    row: Row,
    details: Details,
}

impl DetailsPage {
    /// The details of one of the caller's exports.
    pub fn new(caller: &Caller, export: &DataExport, details: Details, now: DateTime<Utc>) -> Self {
        Self { layout: Layout::signed_in(caller), row: Row::new(export, now), details }
    }
}
