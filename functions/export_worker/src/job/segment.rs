//! Processes one segment: claims it, makes its file while its lease is renewed, and finishes it. It is what the job does with an export, but
//! that it tells nobody: the owner of the export sees what became of it.

use std::time::Duration;

use tokio::sync::watch;
use usage_export::error::AwsError;
use usage_export::export::State;
use usage_export::export::store::lease::{Lease, LeaseError, Progress};
use uuid::Uuid;

use crate::Worker;
use crate::job::attempts::{MAX_ATTEMPTS, delay, interrupted, technical_problem};
use crate::job::board::Board;
use crate::job::error::PipelineError;
use crate::job::handover::Handover;
use crate::job::heartbeat;
use crate::job::piece::Piece;
use crate::job::progress::Reading;
use crate::job::reader::{End, Reader};
use crate::job::setup::Setup;
use crate::job::writer::Writer;

/// How long a lane waits after a call that failed before it looks again.
const PAUSE: Duration = Duration::from_secs(1);

/// Claims a segment and reads it, unless another worker has it.
pub async fn process(setup: &Setup<'_>, board: &Board, key: String, handover: Handover) {
    let owner = format!("{}/{}", setup.worker_id, Uuid::new_v4());
    let now = (setup.worker.clock)();
    let piece = match board.claim(&setup.worker.exports, key.clone(), owner, now).await {
        Ok(Some(claimed)) => Piece::of_segment(setup.export, &claimed),
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(error = %error, "{key} cannot be claimed: {error}");
            return tokio::time::sleep(PAUSE).await;
        }
    };
    let lease = piece.lease.clone();
    if let Err(error) = run(setup, board, piece, handover).await {
        tracing::warn!(error = %error, "a step of {key} did not take place: {error}");
        tokio::time::sleep(PAUSE).await;
    }
    board.gave_back(&lease);
}

/// Whether the export is neither finished nor gone.
///
/// # Errors
///
/// The export could not be read.
pub async fn is_export_open(setup: &Setup<'_>) -> Result<bool, AwsError> {
    let export = setup.worker.exports.get(&setup.export.data_export_id).await?;
    Ok(export.is_some_and(|export| !export.state.is_final()))
}

/// Gives back the segments that a worker has, when it stops before they are read.
pub async fn release_all(worker: &Worker, board: &Board) {
    board.finish_claims().await;
    for lease in board.leases() {
        let released = worker.exports.release_segment(&lease, (worker.clock)()).await;
        if let Err(error) = released {
            tracing::info!(error = %error, "{} is free when its lease ends: {error}", lease.key);
        }
        board.gave_back(&lease);
    }
}

/// Reads a claimed segment and finishes it, or gives it back.
async fn run(setup: &Setup<'_>, board: &Board, piece: Piece, handover: Handover) -> Result<(), LeaseError> {
    let exports = &setup.worker.exports;
    let lease = &piece.lease.clone();
    let now = || (setup.worker.clock)();
    // An export that has ended since the segment was seen is cleaned up when nobody has a lease any more: whoever claims one later must not
    // write anything.
    if !is_export_open(setup).await? {
        return exports.release_segment(lease, now()).await;
    }
    let attempts = piece.attempts;
    if attempts > MAX_ATTEMPTS {
        tracing::error!(attempts, "{} was claimed {attempts} times without progress", lease.key);
        return exports.fail_segment(lease, &interrupted()).await;
    }
    match make(setup, board, piece, handover).await {
        Ok(Made::Rows(rows)) => exports.complete_segment(lease, rows).await,
        Ok(Made::Nothing) if board.leaves_export() => exports.decline_segment(lease, now()).await,
        Ok(Made::Nothing | Made::Part) => exports.release_segment(lease, now()).await,
        Err(PipelineError::LeaseLost) => Err(LeaseError::Lost),
        Err(PipelineError::Permanent { failure, cause }) => {
            tracing::error!(cause, "{} cannot be made: {cause}", lease.key);
            exports.fail_segment(lease, &failure).await
        }
        Err(PipelineError::Aws(error)) => retry_or_fail(setup, lease, attempts, error).await,
    }
}

/// What a lane did with a segment.
enum Made {
    /// All of it, so many rows.
    Rows(u64),
    /// A part, which is saved: the worker has to hand over.
    Part,
    /// It has not read a page.
    Nothing,
}

/// Makes the file of a segment, until the worker has to hand over.
async fn make(
    setup: &Setup<'_>,
    board: &Board,
    mut piece: Piece,
    handover: Handover,
) -> Result<Made, PipelineError> {
    let (told, watched) = watch::channel(Reading::new(Progress { percent: 0, rows: 0 }));
    let lease = piece.lease.clone();
    let work = async {
        let mut writer = Writer::start(setup, &piece, &told).await?;
        let tell = |covered, all, counts| {
            told.send_modify(|reading| *reading = reading.at(covered, all, counts));
        };
        if !writer.is_all_read() {
            let reader = Reader::new(setup, board, &mut piece, handover, &tell);
            match reader.read(&mut writer).await? {
                End::AllRead => {}
                End::HandOver => {
                    writer.save().await?;
                    return Ok(Made::Part);
                }
                End::NothingRead => return Ok(Made::Nothing),
            }
        }
        let counts = writer.finish().await?.counts;
        Ok(Made::Rows(counts.written))
    };
    // On the heap, because it is large.
    heartbeat::keep_lease(setup.worker, &lease, &watched, Box::pin(work)).await
}

/// After a call that failed: the segment is free again after a while, if there is an attempt left.
async fn retry_or_fail(
    setup: &Setup<'_>,
    lease: &Lease,
    attempts: u32,
    error: AwsError,
) -> Result<(), LeaseError> {
    let exports = &setup.worker.exports;
    // This worker may have made progress, and then the attempts are counted anew.
    let segment = exports.segment(&lease.key).await.ok().flatten();
    let attempts =
        segment.filter(|segment| segment.state == State::InProgress).map_or(attempts, |now| now.attempts);
    if attempts >= MAX_ATTEMPTS {
        tracing::error!(attempts, error = %error, "{} failed for good: {error}", lease.key);
        return exports.fail_segment(lease, &technical_problem()).await;
    }
    tracing::warn!(attempts, error = %error, "{} will be tried again: {error}", lease.key);
    let free_from = (setup.worker.clock)() + delay(attempts);
    exports.release_segment(lease, free_from).await
}
