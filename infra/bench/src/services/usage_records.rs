//! The table of usage records: answers `Query` with pages from memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use http_body_util::Full;
use hyper::Response;
use hyper::header::CONTENT_TYPE;
use serde_json::Value;

use super::Answer;
use crate::data::Data;
use crate::data::directory::Directory;
use crate::data::pages::{Page, Partitions, Projection};

/// The table of one export.
pub struct UsageRecords {
    data: Arc<Data>,
    directory: Arc<Directory>,
    /// The table by the projection that was asked for: rendered by the first query, kept until the end.
    rendered: Mutex<HashMap<Projection, Arc<Partitions>>>,
    queries: AtomicU64,
}

impl UsageRecords {
    /// Holds this data. Names of its runs are in the directory.
    pub fn new(data: Arc<Data>, directory: Arc<Directory>) -> Self {
        Self { data, directory, rendered: Mutex::default(), queries: AtomicU64::new(0) }
    }

    /// How many pages were asked for so far.
    pub fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// Answers a `Query`, given by its JSON body.
    ///
    /// # Errors
    ///
    /// Fails if the query names no partition of the table, or bounds other than those of the whole export.
    pub fn query(&self, query: &Value) -> Result<Answer> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        let partitions = self.partitions(projection(query));
        let values = query["ExpressionAttributeValues"].as_object().context("Query has no values")?;
        let mut values: Vec<_> = values.values().filter_map(|value| value["S"].as_str()).collect();
        values.sort_unstable();
        let Some(at) = values.iter().position(|value| partitions.contains_key(*value)) else {
            bail!("no partition in {values:?}");
        };
        let pages = &partitions[values.remove(at)];
        let (first, last) = self.data.interval();
        // Narrower bounds would need other pages. A month that is wanted whole is asked for without bounds.
        let is_outside = |bound: &&str| *bound <= first.as_str() || *bound >= last.as_str();
        ensure!(values.iter().all(is_outside), "other bounds: {values:?}");
        let start = query["ExclusiveStartKey"]["SK"]["S"].as_str().unwrap_or("");
        match pages.iter().find(|page| page.last.as_str() > start) {
            Some(page) => answer(page),
            None => answer(&Page::empty()),
        }
    }

    fn partitions(&self, projection: Projection) -> Arc<Partitions> {
        let mut rendered = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        let partitions = rendered
            .entry(projection)
            .or_insert_with_key(|projection| Arc::new(self.data.render(projection, &self.directory)));
        Arc::clone(partitions)
    }
}

/// The attributes that the query asks for.
fn projection(query: &Value) -> Projection {
    let mut names: Projection = query["ProjectionExpression"]
        .as_str()
        .into_iter()
        .flat_map(|expression| expression.split(','))
        .map(|name| query["ExpressionAttributeNames"][name.trim()].as_str().unwrap_or(name.trim()).to_owned())
        .collect();
    names.sort_unstable();
    names
}

fn answer(page: &Page) -> Result<Answer> {
    let answer = Response::builder()
        .header(CONTENT_TYPE, "application/x-amz-json-1.0")
        .header("x-amz-crc32", page.crc32)
        .header("x-amzn-requestid", "REPLAYED")
        .body(Full::new(page.body.clone()))?;
    Ok(answer)
}
