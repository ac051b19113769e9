//! Makes the file of an export: its owner reads the first segment itself, has the others read beside it and by other workers, and joins them;
//! until the file is complete or the worker has to hand the export over.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout_at;
use usage_export::export::store::finish::Completed;
use usage_export::export::{Counts, Failure, FailureReason, Range, Segment, State};

use crate::job::board::Board;
use crate::job::error::PipelineError;
use crate::job::handover::Handover;
use crate::job::lanes::{Lanes, Role};
use crate::job::piece::Piece;
use crate::job::progress::Reading;
use crate::job::reader::{End, Reader};
use crate::job::setup::Setup;
use crate::job::writer::Writer;

/// What a worker did with an export.
#[derive(Debug)]
pub enum Outcome {
    /// The file is complete in S3.
    Completed(Completed),
    /// Another worker goes on: from a checkpoint that was saved, or from where this one began, if it could not read a page. The
    /// attempts are then not counted anew.
    HandedOver,
}

/// Makes the file, from the export's checkpoint on if it has one, until `handover`.
///
/// # Errors
///
/// Any error leaves the export `IN_PROGRESS`; the caller decides what becomes of it, and gives the segments back.
pub async fn run(
    setup: &Setup<'_>,
    board: &Board,
    handover: Handover,
    told: &watch::Sender<Reading>,
) -> Result<Outcome, PipelineError> {
    let mut piece = Piece::of_export(setup.export);
    let writer = Writer::start(setup, &piece, told).await?;
    if writer.is_all_read() {
        return Ok(Outcome::Completed(writer.complete().await?));
    }
    let lanes = Lanes { setup, board, role: Role::Owner, handover };
    let mut lanes = pin!(lanes.run());
    let mut own = pin!(make(setup, board, &mut piece, writer, handover, told));
    let outcome = tokio::select! {
        outcome = &mut own => outcome,
        () = &mut lanes => return own.await,
    };
    if matches!(outcome, Ok(Outcome::HandedOver)) {
        // They save what they have, too.
        lanes.await;
    }
    outcome
}

/// Reads the first segment and joins the others behind it.
async fn make(
    setup: &Setup<'_>,
    board: &Board,
    piece: &mut Piece,
    mut writer: Writer<'_>,
    handover: Handover,
    told: &watch::Sender<Reading>,
) -> Result<Outcome, PipelineError> {
    let all = setup.plan.covers(&Range::default());
    let tell = |covered: Duration, counts: Counts| {
        let others = board.others();
        let counts =
            Counts { read: counts.read + others.rows, written: counts.written + others.rows, ..counts };
        told.send_modify(|reading| *reading = reading.at(covered + others.covered, all, counts));
    };
    if !writer.is_joining() {
        let tell = |covered, _, counts| tell(covered, counts);
        let reader = Reader::new(setup, board, piece, handover, &tell);
        board.reads_first(true);
        match reader.read(&mut writer).await? {
            End::AllRead => board.reads_first(false),
            End::HandOver => {
                writer.save().await?;
                return Ok(Outcome::HandedOver);
            }
            End::NothingRead => return Ok(Outcome::HandedOver),
        }
    }
    if piece.next_segment.is_none() {
        return Ok(Outcome::Completed(writer.finish().await?));
    }
    let own = setup.plan.covers(&piece.range);
    let mut seen = board.watch();
    seen.mark_unchanged();
    board.changed.notify_one();
    loop {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(handover.at) => {
                writer.save().await?;
                return Ok(Outcome::HandedOver);
            }
            _ = seen.changed() => {}
        }
        tell(own, writer.counts());
        let segments = seen.borrow_and_update().clone();
        if let Some(error) = failure(&segments) {
            return Err(error);
        }
        // They may have been looked at before the last split.
        if segments.first().map(|segment| &segment.key) != piece.next_segment.as_ref() {
            continue;
        }
        let is_completed = |segment: &&Segment| segment.state == State::Completed;
        let completed = segments.iter().take_while(is_completed).count();
        let are_all = completed == segments.len();
        match timeout_at(handover.at, writer.join(piece, &segments[..completed], are_all)).await {
            Ok(joined) => joined?,
            // Without a checkpoint: whoever goes on finds what has arrived.
            Err(_) => return Ok(Outcome::HandedOver),
        }
        if are_all {
            return Ok(Outcome::Completed(writer.complete_joined().await?));
        }
    }
}

/// Why the export fails, if one of its segments did.
fn failure(segments: &[Segment]) -> Option<PipelineError> {
    let failed = segments.iter().find(|segment| segment.state == State::Failed)?;
    // One that failed before records had the reason is counted with what is wrong on our side.
    let reason = failed.failure.unwrap_or(FailureReason::Technical);
    let failure = Failure::new(reason, failed.error.clone().unwrap_or_default());
    Some(PipelineError::Permanent { failure, cause: format!("{} failed", failed.key) })
}
