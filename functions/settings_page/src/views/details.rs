//! What an export was asked for and what came out of it: a page of its own, which is also the content of the drawer.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use chrono::{DateTime, Utc};
use usage_export::audit::event::{Event, EventType};
use usage_export::auth::Caller;
use usage_export::export::DataExport;
use usage_export::export::manifest::Manifest;
use usage_export::export::request::NamedIds;
use usage_export::usage::FIELDS;
use usage_export::wording;

use super::charts::Chart;
use super::dates;
use super::layout::Layout;
use super::row::{Row, scope_text};

/// How many workspaces and how many workbooks are listed; the rest is counted.
pub const MAX_LISTED: usize = 200;

/// The page of one export: values of `export.html`.
#[derive(Debug, Template)]
#[template(path = "export.html")]
pub struct DetailsPage {
    layout: Layout,
    details: Details,
}

/// What is known of an export: values of `details.html`.
#[derive(Debug, Template)]
#[template(path = "details.html")]
pub struct Details {
    row: Row,
    /// Times: label and value.
    facts: Vec<(&'static str, String)>,
    checksum: Option<String>,
    has_manifest: bool,
    columns: Vec<Column>,
    /// The workspaces in words.
    scope: String,
    workspaces: List<(String, String)>,
    workbooks: List<String>,
    /// What the rows cost: `1,234.5 credits`. Absent if the file does not say.
    credits: Option<String>,
    /// Who has downloaded the file.
    downloads: Vec<Downloads>,
    /// Credits, or rows where the file has no credits: by month and by workspace.
    charts: Vec<Chart>,
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
    /// What `export` was asked for; `ids` are those that its request names, and `manifest` is that of its file, if the reader
    /// may have it. `name_of` gives a workspace's name by its id; it is only asked for the first [`MAX_LISTED`].
    pub fn new(
        row: Row,
        export: &DataExport,
        ids: &NamedIds,
        manifest: Option<&Manifest>,
        name_of: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let request = &export.request;
        let mut facts = vec![("Requested", dates::exact(export.created_ts))];
        facts.extend(export.finished_ts.map(|finished_ts| ("Finished", dates::exact(finished_ts))));
        facts.extend(export.expires_ts.map(|expires_ts| ("Available until", dates::exact(expires_ts))));
        let read = manifest.and_then(|manifest| manifest.read_ts.as_ref());
        facts.extend(read.map(|read| ("Data as of", dates::exact(read.last))));
        let (start, end) = (request.interval.start(), request.interval.end());
        facts.push(("First instant", dates::exact(start)));
        facts.push(("Last instant", dates::exact(end)));
        let infos = request.fields.iter().filter_map(|field| FIELDS.iter().find(|info| info.field == *field));
        Self {
            row,
            facts,
            checksum: export.checksum.clone(),
            has_manifest: export.manifest.is_some(),
            columns: infos.map(|info| Column { id: info.id, label: info.label }).collect(),
            scope: scope_text(&request.scope),
            workspaces: List::of(&ids.workspace_ids, request.scope.workspace_count, |id| {
                (name_of(id).unwrap_or_default(), id.clone())
            }),
            workbooks: List::of(&ids.entity_ids, request.scope.workbook_count, String::clone),
            credits: manifest.and_then(credits),
            downloads: Vec::new(),
            charts: manifest.map(Chart::of_manifest).unwrap_or_default(),
        }
    }

    /// The same, with who has downloaded the file.
    pub fn with_downloads(self, downloads: Vec<Downloads>) -> Self {
        Self { downloads, ..self }
    }
}

/// How often somebody has downloaded a file.
#[derive(Debug)]
pub struct Downloads {
    /// Their email address.
    by: String,
    /// `once`, `3 times`.
    times: String,
    /// When they did it last.
    last: String,
}

impl Downloads {
    /// Counts the downloads of the file among events of an export, which are the oldest first.
    pub fn of(events: &[Event], name_of: impl Fn(&str) -> String) -> Vec<Self> {
        let mut counts: BTreeMap<&str, (u32, DateTime<Utc>)> = BTreeMap::new();
        for event in events.iter().filter(|event| event.event_type == EventType::ExportDownloaded) {
            let count = counts.entry(event.user_id.as_deref().unwrap_or_default()).or_default();
            *count = (count.0 + 1, event.timestamp);
        }
        let downloads = counts.into_iter().map(|(user_id, (count, last))| Self {
            by: name_of(user_id),
            times: if count == 1 { "once".to_owned() } else { format!("{count} times") },
            last: dates::exact(last),
        });
        downloads.collect()
    }
}

/// The exact sum of the credits of a file.
fn credits(manifest: &Manifest) -> Option<String> {
    let sum = manifest.totals.total.credit_cost.as_ref()?;
    Some(wording::credits(&sum.to_string()))
}

impl DetailsPage {
    /// The page of an export of the caller's organization.
    pub fn new(caller: &Caller, details: Details) -> Self {
        Self { layout: Layout::signed_in(caller), details }
    }
}
