//! Reads a piece of an export, page after page, and has every page written, until all of it is read or the worker has to hand it
//! over. In between it may be split: then the rest is for another lane.

use std::pin::pin;
use std::time::Duration;

use futures::TryStreamExt;
use tokio::time::Instant;
use usage_export::export::{Counts, Segment};
use usage_export::usage::LAST_SORT_KEY;
use usage_records::page::Page;
use usage_records::partition::Partition;
use usage_records::query::UsageRecords;

use crate::job::board::{Board, Lane};
use crate::job::density::{Density, Place};
use crate::job::error::PipelineError;
use crate::job::handover::Handover;
use crate::job::piece::Piece;
use crate::job::setup::Setup;
use crate::job::writer::Writer;

/// Why reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything is read.
    AllRead,
    /// The worker has to hand over. Nothing is saved yet.
    HandOver,
    /// The same, and not a page was read.
    NothingRead,
}

/// Reads one piece.
pub struct Reader<'a, 'b> {
    setup: &'a Setup<'a>,
    board: &'a Board,
    /// Its end changes with a split.
    piece: &'b mut Piece,
    handover: Handover,
    tell: Tell<'a>,
    /// The partition that was last throttled.
    throttled: Option<String>,
    /// Whether pages may be on their way that do not belong to the piece any more.
    has_split: bool,
    /// The key of the last partition of the piece since it was split. What comes behind it is not waited for.
    last_partition: Option<String>,
}

/// Is told after each page how much of the range's time is read, of how much, and what was counted.
pub type Tell<'a> = &'a (dyn Fn(Duration, Duration, Counts) + Send + Sync);

impl<'a, 'b> Reader<'a, 'b> {
    /// Reads `piece` until `handover`. Splits are asked for by the `board`.
    pub fn new(
        setup: &'a Setup<'a>,
        board: &'a Board,
        piece: &'b mut Piece,
        handover: Handover,
        tell: Tell<'a>,
    ) -> Self {
        Self { setup, board, piece, handover, tell, throttled: None, has_split: false, last_partition: None }
    }

    /// Reads from where the writer is. At least one page is read, however late it is: otherwise an export would never end.
    ///
    /// # Errors
    ///
    /// A call failed, the lease is lost, or a record cannot be written.
    pub async fn read(mut self, writer: &mut Writer<'_>) -> Result<End, PipelineError> {
        let lane = self.board.enter();
        let end = self.read_as(&lane, writer).await;
        self.board.leave(&lane);
        end
    }

    async fn read_as(&mut self, lane: &Lane, writer: &mut Writer<'_>) -> Result<End, PipelineError> {
        let Setup { plan, selection, .. } = self.setup;
        let mut has_read = false;
        loop {
            self.has_split = false;
            let mut all = plan.covers(&self.piece.range);
            let mut partitions = plan.partitions(&self.piece.range, writer.position()).peekable();
            let covered = partitions.peek().map_or(all, Partition::covered_so_far);
            (self.tell)(covered, all, writer.counts());
            let mut density = Density::new(covered);
            let usage_records = self.usage_records();
            let mut pages = pin!(usage_records.pages(partitions, selection));
            loop {
                let handover = if has_read { self.handover.at } else { self.handover.without_a_page };
                let next = tokio::select! {
                    biased;
                    () = self.is_over(handover) => {
                        return Ok(if has_read { End::HandOver } else { End::NothingRead });
                    }
                    page = pages.try_next() => page?,
                };
                let Some(page) = next else { return Ok(End::AllRead) };
                match self.belongs(&page) {
                    Belongs::Whole => {}
                    Belongs::InPart => break,
                    Belongs::Not => return Ok(End::AllRead),
                }
                let at = Place::of(&page, plan, &self.piece.range);
                let is_divisible = self.is_divisible(&page);
                let ended_partition =
                    (page.up_to == LAST_SORT_KEY).then(|| page.partition.partition_key.clone());
                writer.write(page).await?;
                has_read = true;
                (self.tell)(at.covered, all, writer.counts());
                density.add(&at);
                if lane.has_left(density.pages_left(&at, all)) {
                    self.board.changed.notify_one();
                }
                if let Some(pieces) = lane.wanted_pieces() {
                    if self.split(pieces, at.covered, is_divisible, writer).await? {
                        all = plan.covers(&self.piece.range);
                        // Until the next page it would count what it gave away, and could be split again because of that.
                        lane.has_left(density.pages_left(&at, all));
                    }
                    lane.was_asked();
                }
                if ended_partition.is_some() && ended_partition == self.last_partition {
                    return Ok(End::AllRead);
                }
            }
        }
    }

    /// Waits until the worker has to hand over, or leaves the export.
    async fn is_over(&self, handover: Instant) {
        tokio::select! {
            () = tokio::time::sleep_until(handover) => {}
            () = self.board.left_export() => {}
        }
    }

    /// The table. Beside other lanes a lane reads no further partitions ahead: they would be many in memory.
    fn usage_records(&self) -> UsageRecords {
        let usage_records = self.setup.usage_records.clone();
        if self.board.first().is_none() {
            usage_records
        } else {
            UsageRecords { read_ahead: 1, ..usage_records }
        }
    }

    /// Whether a page that was asked for before a split is still to be written.
    fn belongs(&self, page: &Page) -> Belongs {
        if !self.has_split {
            return Belongs::Whole;
        }
        match page.partition.clone().within(&self.piece.range) {
            None => Belongs::Not,
            Some(partition) if partition.sort_keys == page.partition.sort_keys => Belongs::Whole,
            Some(_) => Belongs::InPart,
        }
    }

    /// Whether what is left of a page's partition may be cut in two: not if DynamoDB gives no more of it already.
    fn is_divisible(&mut self, page: &Page) -> bool {
        let partition_key = &page.partition.partition_key;
        if page.throttled {
            self.throttled = Some(partition_key.clone());
        }
        page.up_to != LAST_SORT_KEY && self.throttled.as_ref() != Some(partition_key)
    }

    /// Splits what is left behind what is `covered`, if it can be, into up to so many pieces.
    async fn split(
        &mut self,
        pieces: u32,
        covered: Duration,
        is_divisible: bool,
        writer: &Writer<'_>,
    ) -> Result<bool, PipelineError> {
        let Setup { plan, worker, export, .. } = self.setup;
        let cuts = plan.cuts(&self.piece.range, covered, pieces, is_divisible);
        let Some(first_cut) = cuts.first() else { return Ok(false) };
        let now = (worker.clock)();
        // From the last to the first, because each names the next.
        let (mut until, mut next) = (self.piece.range.until.clone(), self.piece.next_segment.clone());
        let mut segments = Vec::with_capacity(cuts.len());
        for cut in cuts.iter().rev() {
            let segment = Segment::new(&export.data_export_id, cut.clone(), until, next, now);
            (until, next) = (Some(cut.clone()), Some(segment.key.clone()));
            segments.push(segment);
        }
        segments.reverse();
        // Whoever claims one of them needs the plan.
        self.setup.store_plan().await?;
        let known = self.piece.next_segment.as_deref();
        worker.exports.split(&self.piece.lease, known, first_cut, &segments).await?;
        let id = &export.data_export_id;
        tracing::info!(
            data_export_id = id,
            segments = segments.len(),
            rows = writer.counts().written,
            "export {id} goes on in {} more segments",
            segments.len()
        );
        (self.piece.range.until, self.piece.next_segment) = (until, next);
        self.has_split = true;
        self.last_partition =
            plan.partitions(&self.piece.range, None).last().map(|partition| partition.partition_key);
        if self.piece.is_export
            && let Some(first) = &self.piece.next_segment
        {
            self.board.set_first(first);
        }
        self.board.made(segments);
        self.board.changed.notify_one();
        Ok(true)
    }
}

/// What of a page is in the range of a piece.
enum Belongs {
    Whole,
    InPart,
    Not,
}
