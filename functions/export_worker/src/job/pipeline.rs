//! Makes the file of an export: reads its partitions in order and has every page written, until all is read or the worker has
//! to hand the export over.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use tokio::sync::watch;
use tokio::time::Instant;
use usage_export::error::AwsError;
use usage_export::export::DataExport;
use usage_export::export::store::finish::Completed;
use usage_export::export::store::lease::Lease;

use crate::Worker;
use crate::job::error::PipelineError;
use crate::job::progress::Reading;
use crate::job::stored_plan::{named_ids, plan_of};
use crate::job::writer::Writer;
use usage_records::partition::Partition;
use usage_records::selection::Selection;

/// How long before its end a worker stops reading. It has to finish the part in flight, save the tail and a checkpoint, and
/// send a message: seconds, unless AWS is slow.
const HANDOVER_MARGIN: Duration = Duration::from_mins(1);

/// What a worker did with an export.
#[derive(Debug)]
pub enum Outcome {
    /// The file is complete in S3.
    Completed(Completed),
    /// A checkpoint is saved from which another worker goes on.
    HandedOver,
}

/// Makes the file, from the export's checkpoint on if it has one, until this worker's `deadline`.
///
/// # Errors
///
/// Any error leaves the export `IN_PROGRESS`; the caller decides what becomes of it.
pub async fn run(
    worker: &Worker,
    export: &DataExport,
    lease: &Lease,
    deadline: DateTime<Utc>,
    told: &watch::Sender<Reading>,
) -> Result<Outcome, PipelineError> {
    let request = &export.request;
    let ids = named_ids(worker, export).await?;
    let selection = Selection::new(request.interval, &request.fields, &ids.entity_ids)
        .map_err(|error| AwsError::internal("row layout", &error))?;
    let selection = Arc::new(selection);
    let plan = plan_of(worker, export, &ids).await?;
    let mut writer =
        Writer::start(worker, export, lease, &selection, plan.scope(ids.entity_ids), told).await?;
    if writer.is_all_read() {
        return Ok(Outcome::Completed(writer.complete().await?));
    }
    let left = (deadline - (worker.clock)()).to_std().unwrap_or_default();
    let handover = Instant::now() + left.saturating_sub(HANDOVER_MARGIN);
    let all = plan.covers();
    let mut partitions = plan.partitions(writer.position()).peekable();
    let covered = partitions.peek().map_or(all, Partition::covered_so_far);
    told.send_modify(|reading| *reading = reading.at(covered, all, writer.counts()));
    let mut pages = pin!(worker.usage_records.pages(partitions, &selection));
    // A worker that begins too late reads one page nevertheless: otherwise the export would never end.
    let mut has_read = false;
    loop {
        let next = tokio::select! {
            biased;
            () = tokio::time::sleep_until(handover), if has_read => None,
            page = pages.try_next() => Some(page?),
        };
        match next {
            Some(Some(page)) => {
                let covered = page.partition.covered_up_to(&page.up_to);
                writer.write(page).await?;
                told.send_modify(|reading| *reading = reading.at(covered, all, writer.counts()));
                has_read = true;
            }
            Some(None) => return Ok(Outcome::Completed(writer.finish().await?)),
            None => {
                writer.save().await?;
                return Ok(Outcome::HandedOver);
            }
        }
    }
}
