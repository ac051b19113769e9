//! The segments of an export: how they are split, found, claimed and finished. Each step is one conditional write of one item.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::lease::{IS_LEASE_OWNER, Lease, LeaseError, step};
use super::{Exports, attribute_s};
use crate::dynamo::{Item, batch_get, condition_failed, number, text};
use crate::error::AwsError;
use crate::export::{Cut, DataExport, Failure, Segment, State};
use crate::timestamp;

/// More segments than an export is ever split into. Items that name each other in a circle must not keep a worker for ever.
const MAX_SEGMENTS: usize = 10_000;

/// How many new segments are put at the same time.
const MAX_PUTS_AT_ONCE: usize = 16;

impl Exports {
    /// Splits what a lease is of, an export or a segment, at `cut`, where the first of the new `segments` begins; they follow each
    /// other up to where its range ended. `known_next` is the segment that it named as the next one.
    ///
    /// The new items are put first, when nobody can find them. Then one conditional update makes them part of the export.
    ///
    /// # Errors
    ///
    /// [`LeaseError::Lost`] if the lease is lost; [`LeaseError::Aws`] if a call failed: the split may have taken place.
    pub async fn split(
        &self,
        lease: &Lease,
        known_next: Option<&str>,
        cut: &Cut,
        segments: &[Segment],
    ) -> Result<(), LeaseError> {
        let Some(first) = segments.first() else { return Ok(()) };
        let puts = stream::iter(segments).map(|segment| self.put_segment(segment));
        puts.buffer_unordered(MAX_PUTS_AT_ONCE).try_collect::<()>().await?;
        let is_unchanged = match known_next {
            Some(_) => "next_segment = :known",
            None => "attribute_not_exists(next_segment)",
        };
        let update = self
            .update_as(lease)
            .update_expression("SET #until = :cut, next_segment = :first")
            // A late repetition of an earlier split must not undo this one.
            .condition_expression(format!("{IS_LEASE_OWNER} AND {is_unchanged}"))
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":cut", attribute(&lease.key, cut)?)
            .expression_attribute_values(":first", text(&first.key));
        let update = match known_next {
            Some(known) => update.expression_attribute_values(":known", text(known)),
            None => update,
        };
        match step(update).await {
            Err(LeaseError::Lost) => {
                // Or the split took place, its answer was lost, and the SDK made it again.
                let item = self.get_item(&lease.key).await?.unwrap_or_default();
                let has_split = attribute_s(&item, "next_segment") == Some(&first.key);
                if has_split { Ok(()) } else { Err(LeaseError::Lost) }
            }
            split => split.map(|_| ()),
        }
    }

    /// Stores a new segment. One that is there is left as it is: it may have been claimed since.
    async fn put_segment(&self, segment: &Segment) -> Result<(), AwsError> {
        let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(segment)
            .map_err(|error| AwsError::internal(&segment.key, &error))?;
        item.remove("data_export_id");
        // By an update, for which workers have the permission.
        let mut update = self.client.update_item().table_name(&self.table);
        let mut sets = Vec::with_capacity(item.len());
        for (nth, (name, value)) in item.into_iter().enumerate() {
            update = update
                .expression_attribute_names(format!("#{nth}"), name)
                .expression_attribute_values(format!(":{nth}"), value);
            sets.push(format!("#{nth} = :{nth}"));
        }
        let put = update
            .key("data_export_id", text(&segment.key))
            .update_expression(format!("SET {}", sets.join(", ")))
            .condition_expression("attribute_not_exists(data_export_id)")
            .send()
            .await;
        match put {
            Err(error) if !condition_failed(&error) => Err(AwsError::from_sdk("dynamodb:UpdateItem")(error)),
            _ => Ok(()),
        }
    }

    /// The segments of an export after the first one, in order. `known` are those that were found before: they are read at once,
    /// and the others one by one.
    ///
    /// # Errors
    ///
    /// A call failed, or the segments do not follow each other.
    pub async fn segments(&self, first: Option<&str>, known: &[Segment]) -> Result<Vec<Segment>, AwsError> {
        let Some(first) = first else { return Ok(Vec::new()) };
        // What is finished does not change any more.
        let (finished, others): (Vec<_>, Vec<_>) = known.iter().partition(|segment| segment.state.is_final());
        let mut found: HashMap<_, _> =
            finished.into_iter().map(|segment| (segment.key.clone(), segment.clone())).collect();
        let keys: HashSet<_> = others.iter().map(|segment| segment.key.as_str()).chain([first]).collect();
        let keys = keys.into_iter().filter(|key| !found.contains_key(*key));
        let keys = keys.map(|key| HashMap::from([("data_export_id".to_owned(), text(key))])).collect();
        let items = batch_get(&self.client, &self.table, keys, true).await?;
        for item in items {
            let segment = read_segment(item)?;
            found.insert(segment.key.clone(), segment);
        }
        let mut segments = Vec::with_capacity(found.len());
        let mut next = Some(first.to_owned());
        while let Some(key) = next.take() {
            let segment = match found.remove(&key) {
                Some(segment) => segment,
                None => {
                    self.segment(&key).await?.ok_or_else(|| AwsError::corrupt(&key, "the segment is gone"))?
                }
            };
            next.clone_from(&segment.next_segment);
            segments.push(segment);
            if segments.len() > MAX_SEGMENTS {
                return Err(AwsError::corrupt(first, "the segments have no end"));
            }
        }
        Ok(segments)
    }

    /// Reads a segment. `None` if there is none with this key.
    ///
    /// # Errors
    ///
    /// The read failed, or the item cannot be read.
    pub async fn segment(&self, key: &str) -> Result<Option<Segment>, AwsError> {
        self.get_item(key).await?.map(read_segment).transpose()
    }

    /// Claims a segment, as [`Exports::claim`] does an export. `None` if another worker has it, or it is finished.
    ///
    /// Who has claimed it has to read the export's state after that, and to release the segment if the export is finished.
    ///
    /// # Errors
    ///
    /// As for [`Exports::claim`].
    pub async fn claim_segment(
        &self,
        key: &str,
        lease_owner: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Segment>, AwsError> {
        if let Some(item) = self.claim_item(key, lease_owner, now).await? {
            return read_segment(item).map(Some);
        }
        // Unless the claim took place, its answer was lost, and the SDK made it again.
        let segment = self.segment(key).await?;
        Ok(segment.filter(|segment| {
            segment.state == State::InProgress && segment.lease_owner.as_deref() == Some(lease_owner)
        }))
    }

    /// Changes a segment to `COMPLETED`, whose last checkpoint describes its file.
    ///
    /// # Errors
    ///
    /// As for [`Exports::renew`].
    pub async fn complete_segment(&self, lease: &Lease, rows: u64) -> Result<(), LeaseError> {
        let update = self
            .update_as(lease)
            .update_expression(
                "SET #state = :completed, progress = :all, row_count = :rows REMOVE lease_owner, lease_until",
            )
            .expression_attribute_values(":completed", text(State::Completed.name()))
            .expression_attribute_values(":all", number(100))
            .expression_attribute_values(":rows", number(rows));
        step(update).await.map(|_| ())
    }

    /// Changes a segment to `FAILED`.
    ///
    /// # Errors
    ///
    /// As for [`Exports::renew`].
    pub async fn fail_segment(&self, lease: &Lease, failure: &Failure) -> Result<(), LeaseError> {
        let update = self
            .update_as(lease)
            .update_expression(
                "SET #state = :failed, #error = :told, failure = :reason REMOVE lease_owner, lease_until",
            )
            .expression_attribute_names("#error", "error")
            .expression_attribute_values(":failed", text(State::Failed.name()))
            .expression_attribute_values(":told", text(&failure.told))
            .expression_attribute_values(":reason", text(failure.reason.name()));
        step(update).await.map(|_| ())
    }

    /// Gives a segment back. Nobody claims it before `free_from`.
    ///
    /// # Errors
    ///
    /// As for [`Exports::renew`].
    pub async fn release_segment(&self, lease: &Lease, free_from: DateTime<Utc>) -> Result<(), LeaseError> {
        let update = self
            .update_as(lease)
            .update_expression("SET lease_until = :from REMOVE lease_owner")
            .expression_attribute_values(":from", text(timestamp::to_text(free_from)));
        step(update).await.map(|_| ())
    }

    /// Gives a segment back that nobody began to read since it was claimed: that was no attempt.
    ///
    /// # Errors
    ///
    /// As for [`Exports::renew`].
    pub async fn decline_segment(&self, lease: &Lease, now: DateTime<Utc>) -> Result<(), LeaseError> {
        let update = self
            .update_as(lease)
            .update_expression("SET lease_until = :from REMOVE lease_owner ADD attempts :minus_one")
            .expression_attribute_values(":from", text(timestamp::to_text(now)))
            .expression_attribute_values(":minus_one", number(-1));
        step(update).await.map(|_| ())
    }

    /// Until when a worker may still write what belongs to a segment of the export; `None` if none does.
    ///
    /// # Errors
    ///
    /// As for [`Exports::segments`].
    pub async fn segments_leased_until(
        &self,
        export: &DataExport,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, AwsError> {
        let segments = self.segments(export.next_segment.as_deref(), &[]).await?;
        let leased =
            segments.iter().filter(|segment| segment.lease_owner.is_some() && segment.is_leased(now));
        Ok(leased.filter_map(|segment| segment.lease_until).max())
    }
}

fn read_segment(item: Item) -> Result<Segment, AwsError> {
    let key = attribute_s(&item, "data_export_id").unwrap_or("a segment").to_owned();
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(|error| AwsError::unreadable(key, &error))
}

fn attribute(key: &str, value: &impl Serialize) -> Result<AttributeValue, AwsError> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(value)
        .map_err(|error| AwsError::internal(key, &error))
}
