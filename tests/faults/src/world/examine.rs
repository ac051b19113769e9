//! Waiting until exports have ended, and looking at everything that they leave: states, files, emails, left-overs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use integration_tests::api::{follow, get_download};
use integration_tests::files::object_key;
use integration_tests::manifest::{self, read_manifest};
use integration_tests::org::TestOrg;
use integration_tests::outbox::{messages_in, sent_emails};
use integration_tests::records::{read_active, read_record};
use integration_tests::system::system;
use serde_json::Value;

use super::{Outcome, Posted, SeededOrg, World};

/// Between two looks at the states.
const POLL_INTERVAL: Duration = Duration::from_millis(400);
/// After everything seems done: a second email would be sent in this time.
const GRACE: Duration = Duration::from_secs(2);
/// How often a download is tried: the faults have ended, but connections from before may be broken.
const DOWNLOADS: usize = 5;

/// The records of exports by id, and when each was first seen to have ended.
#[derive(Default)]
struct Seen {
    records: BTreeMap<String, Value>,
    ended: BTreeMap<String, Instant>,
}

impl World {
    /// Waits until all exports of the organizations have ended and settled, ends the faults, and examines them. These are
    /// also exports of requests that had no answer.
    pub async fn examine(&self, orgs: &[Arc<SeededOrg>], posted: Vec<Posted>) -> Outcome {
        let mut seen = Seen::default();
        let began = Instant::now();
        while !seen.look(orgs).await && began.elapsed() < self.limits.end {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        let began = Instant::now();
        while !is_settled(&seen.ids()).await && began.elapsed() < self.limits.settle {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        self.faults.end();
        tokio::time::sleep(GRACE).await;
        seen.look(orgs).await;
        self.examined.lock().unwrap_or_else(PoisonError::into_inner).extend(seen.ids());
        self.outcome(orgs, &posted, &seen).await
    }

    async fn outcome(&self, orgs: &[Arc<SeededOrg>], posted: &[Posted], seen: &Seen) -> Outcome {
        let mut outcome =
            Outcome { faults: self.faults.total(), exports: seen.records.len(), ..Outcome::default() };
        for (id, count) in count_emails(seen.records.keys()).await {
            outcome.emails[count.min(2)] += 1;
            if count == 0 && !self.faults.may_miss_email(&id) {
                outcome.missing_emails.push(id);
            }
        }
        for (id, record) in &seen.records {
            match record["state"].as_str().unwrap_or("no record") {
                "COMPLETED" => outcome.completed += 1,
                "FAILED" => outcome.failed.push(record["error"].as_str().unwrap_or_default().to_owned()),
                state => outcome.unfinished.push(format!("{id} is {state}")),
            }
        }
        for export in posted {
            if let Some(ended) = seen.ended.get(&export.id) {
                outcome.times.push(ended.duration_since(export.at));
            }
            if seen.records.get(&export.id).is_some_and(|record| record["state"] == "COMPLETED") {
                outcome.wrong_files.extend(difference(export).await);
            }
        }
        for org in orgs {
            outcome.left_overs.extend(self.left_overs(&org.org, seen).await);
        }
        outcome
    }

    /// Uploads that are open, objects beside the files of completed exports and their manifests, and slots that are taken.
    async fn left_overs(&self, org: &TestOrg, seen: &Seen) -> Vec<String> {
        let bucket = &system().outputs.bucket;
        let prefix = format!("exports/{}/", org.id);
        let uploads =
            system().s3.list_multipart_uploads().bucket(bucket).prefix(&prefix).send().await.unwrap();
        let uploads = uploads.uploads.unwrap_or_default().into_iter();
        let mut found: Vec<_> =
            uploads.map(|upload| format!("an upload of {}", upload.key.unwrap_or_default())).collect();
        let kept: BTreeSet<_> = seen
            .records
            .iter()
            .filter(|(_, record)| record["state"] == "COMPLETED")
            .flat_map(|(id, record)| {
                [object_key(org, id), record["manifest"]["key"].as_str().unwrap_or_default().to_owned()]
            })
            .collect();
        let objects = system().s3.list_objects_v2().bucket(bucket).prefix(&prefix).send().await.unwrap();
        for key in objects.contents.unwrap_or_default().into_iter().filter_map(|object| object.key) {
            if !kept.contains(&key) && !self.faults.may_leave(&key) {
                found.push(format!("the object {key}"));
            }
        }
        found.extend(read_active(org).await.into_iter().map(|id| format!("a slot of {id}")));
        found
    }
}

impl Seen {
    /// Reads the records of exports that have not ended yet. Whether all have ended.
    async fn look(&mut self, orgs: &[Arc<SeededOrg>]) -> bool {
        let mut all_ended = true;
        for org in orgs {
            for id in export_ids(&org.org).await {
                if self.ended.contains_key(&id) {
                    continue;
                }
                let record = read_record(&id).await;
                if record["state"] == "COMPLETED" || record["state"] == "FAILED" {
                    self.ended.insert(id.clone(), Instant::now());
                } else {
                    all_ended = false;
                }
                self.records.insert(id, record);
            }
        }
        all_ended
    }

    fn ids(&self) -> Vec<String> {
        self.records.keys().cloned().collect()
    }
}

/// The ids of all exports of the organization's administrator.
async fn export_ids(org: &TestOrg) -> Vec<String> {
    let pages = system()
        .dynamodb
        .query()
        .table_name(&system().outputs.tables.exports)
        .index_name("by_user")
        .key_condition_expression("user_id = :user")
        .expression_attribute_values(":user", AttributeValue::S(org.caller.user_id.clone()))
        .projection_expression("data_export_id")
        .into_paginator()
        .items()
        .send();
    let items: Vec<_> = pages.collect::<Result<_, _>>().await.unwrap();
    items.iter().map(|item| item["data_export_id"].as_s().unwrap().clone()).collect()
}

/// Whether no message names one of the exports and no record waits for its last steps.
async fn is_settled(ids: &[String]) -> bool {
    let messages = messages_in(&system().outputs.queue_url).await;
    let texts: Vec<_> = messages.iter().map(Value::to_string).collect();
    if ids.iter().any(|id| texts.iter().any(|text| text.contains(id.as_str()))) {
        return false;
    }
    for id in ids {
        if !read_record(id).await["unsettled"].is_null() {
            return false;
        }
    }
    true
}

/// How many emails each export has.
pub(super) async fn count_emails(ids: impl Iterator<Item = &String>) -> BTreeMap<String, usize> {
    let emails: Vec<_> = sent_emails().await.iter().map(Value::to_string).collect();
    let count = |id: &String| emails.iter().filter(|email| email.contains(id.as_str())).count();
    ids.map(|id| (id.clone(), count(id))).collect()
}

/// Says how the file of a completed export differs from the one that must come out, and its manifest from the file; `None` if
/// they do not.
async fn difference(export: &Posted) -> Option<String> {
    let expected = export.org.expected(&export.request);
    let mut found = String::new();
    for _ in 0..DOWNLOADS {
        let answer = get_download(&export.org.org.caller, &export.id).await;
        let answer = if answer.status == 302 { follow(&answer).await } else { answer };
        if answer.status != 200 {
            found = format!("the download of {} answers {}", export.id, answer.status);
            tokio::time::sleep(POLL_INTERVAL).await;
            continue;
        }
        if answer.body == expected {
            let differences = manifest::differences(&read_manifest(&export.id).await, &answer.body);
            let has_some = !differences.is_empty();
            return has_some
                .then(|| format!("the manifest of {} is of another file: {differences:?}", export.id));
        }
        let same = answer.body.iter().zip(&expected).take_while(|(a, b)| a == b).count();
        let (size, wanted) = (answer.body.len(), expected.len());
        return Some(format!(
            "{} differs at byte {same}; it has {size} bytes, {wanted} are right",
            export.id
        ));
    }
    Some(found)
}
