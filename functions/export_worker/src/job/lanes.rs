//! The lanes of a worker: they claim segments that nobody reads, and read several of them at the same time.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;
use usage_export::error::AwsError;
use usage_export::export::{Segment, State};

use crate::job::board::Board;
use crate::job::handover::Handover;
use crate::job::setup::Setup;
use crate::job::{segment, share};

mod splitting;

use splitting::Seen;

/// How often a worker looks at the segments of its export.
const LOOK_INTERVAL: Duration = Duration::from_millis(600);

/// The same while a lane has nothing to do.
const IDLE_LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// The same while the owner has read what it can, and waits for others: the file is complete as soon as it sees that they are.
const WAITING_LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// After how many looks without a free segment an invited worker ends.
const MAX_IDLE_LOOKS: u32 = 20;

/// How long an invited worker is waited for until it has claimed a segment.
const INVITATION: Duration = Duration::from_secs(20);

/// How a worker takes part in an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It has the export's lease, reads the first segment itself, and invites others.
    Owner,
    /// It reads other segments as long as there are any.
    Invited,
}

/// The lanes of one worker.
pub struct Lanes<'a> {
    /// What they read.
    pub setup: &'a Setup<'a>,
    /// What they know of each other.
    pub board: &'a Board,
    /// How the worker takes part.
    pub role: Role,
    /// When they stop.
    pub handover: Handover,
}

impl Lanes<'_> {
    /// Reads segments until this worker has to hand over, and all are given back. An invited worker ends before if there is nothing left to
    /// claim, the export is finished, or other exports of its organization run by now.
    pub async fn run(&self) {
        let (keys, to_process) = mpsc::unbounded_channel();
        let running = AtomicUsize::new(0);
        // Beside each other: a slow look must not keep lanes from renewing their leases.
        tokio::select! {
            () = self.process(to_process, &running) => {}
            () = self.assign(&keys, &running) => {}
        }
    }

    /// Processes the segments with these keys at the same time.
    async fn process(&self, mut keys: UnboundedReceiver<String>, running: &AtomicUsize) {
        let mut lanes = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(key) = keys.recv() => {
                    lanes.push(segment::process(self.setup, self.board, key, self.handover));
                }
                Some(()) = lanes.next() => {
                    running.fetch_sub(1, Ordering::Relaxed);
                    self.board.changed.notify_one();
                }
            }
        }
    }

    /// Gives segments that nobody reads to lanes that have nothing to do, until nothing is left to give.
    async fn assign(&self, keys: &UnboundedSender<String>, running: &AtomicUsize) {
        let (mut invitations, mut idle_looks) = (Vec::new(), 0);
        loop {
            if self.is_over() && running.load(Ordering::Relaxed) == 0 {
                return;
            }
            let idle = || self.lanes().saturating_sub(running.load(Ordering::Relaxed));
            let Some(free) = self.look(idle()).await else { return };
            if !self.is_over() {
                let idle = idle();
                let given = free.len().min(idle);
                for key in &free[..given] {
                    running.fetch_add(1, Ordering::Relaxed);
                    // It is received as long as this runs.
                    let _ = keys.send(key.clone());
                }
                self.ask_to_split(idle, free.len());
                self.invite(free.len() - given, &mut invitations).await;
            }
            let running = running.load(Ordering::Relaxed);
            idle_looks = if running == 0 { idle_looks + 1 } else { 0 };
            if self.role == Role::Invited && idle_looks > MAX_IDLE_LOOKS {
                return;
            }
            let interval = match (self.role, running) {
                _ if self.board.first().is_none() => LOOK_INTERVAL,
                (Role::Owner, 0) => WAITING_LOOK_INTERVAL,
                _ if running < self.lanes() => IDLE_LOOK_INTERVAL,
                _ => LOOK_INTERVAL,
            };
            tokio::select! {
                () = self.board.changed.notified() => {}
                () = tokio::time::sleep(interval) => {}
            }
        }
    }

    /// Whether nothing is begun any more.
    fn is_over(&self) -> bool {
        Instant::now() >= self.handover.at || self.board.leaves_export()
    }

    /// How many segments are read at the same time, beside the first one.
    fn lanes(&self) -> usize {
        self.setup.worker.splitting.lanes.saturating_sub(self.board.lanes_of_first())
    }

    /// The keys of segments that nobody reads; `None` if the export is finished. An owner learns that when it renews its lease.
    async fn look(&self, idle: usize) -> Option<Vec<String>> {
        let Some(first) = self.board.first() else { return Some(Vec::new()) };
        match self.try_to_look(&first, idle).await {
            Ok(free) => free,
            Err(error) => {
                let id = &self.setup.export.data_export_id;
                tracing::warn!(data_export_id = id, error = %error, "the segments of export {id} cannot be seen: {error}");
                Some(Vec::new())
            }
        }
    }

    async fn try_to_look(&self, first: &str, idle: usize) -> Result<Option<Vec<String>>, AwsError> {
        let Setup { worker, export, plan, .. } = self.setup;
        if self.role == Role::Invited && !segment::is_export_open(self.setup).await? {
            return Ok(None);
        }
        let segments = worker.exports.segments(Some(first), &self.board.expected()).await?;
        if self.role == Role::Invited && !self.is_over() {
            self.leave_if_too_many(&segments).await?;
        }
        let now = (worker.clock)();
        let free = segments.iter().filter(|segment| segment.is_free(now));
        let mut free: Vec<_> = free.map(|segment| segment.key.clone()).collect();
        // Those in front are read first, so that they can be joined while others are read. But workers that look at the same time do not all
        // claim the same ones.
        if self.role == Role::Invited {
            let all_idle = idle.max(1) * worker.splitting.max_workers as usize;
            let wanted = all_idle.min(free.len()).max(1);
            free.rotate_left(self.setup.worker_id.as_u128() as usize % wanted);
        }
        self.board.saw(segments, plan);
        tracing::debug!(data_export_id = export.data_export_id, free = free.len(), "looked at the segments");
        Ok(Some(free))
    }

    /// Has something split, if that is worth it.
    fn ask_to_split(&self, idle: usize, free: usize) {
        let segments = self.board.segments();
        let in_progress = segments.iter().filter(|segment| segment.state == State::InProgress).count();
        let is_split = self.board.first().is_some();
        let seen = Seen { is_split, free, idle, segments: segments.len(), in_progress };
        let (pieces, min_pages) = seen.wanted(&self.setup.worker.splitting);
        self.board.ask_to_split(u32::try_from(pieces).unwrap_or(u32::MAX), min_pages);
    }

    /// Invites as many workers as there are segments for that this one has no lane for.
    async fn invite(&self, free: usize, invitations: &mut Vec<Instant>) {
        let Setup { worker, export, .. } = self.setup;
        if self.role == Role::Invited || free == 0 {
            return;
        }
        invitations.retain(|at| at.elapsed() < INVITATION);
        let others = self.other_workers(&self.board.segments()).len() + invitations.len();
        let id = &export.data_export_id;
        let missing = match self.missing(others).await {
            Ok(missing) => missing,
            Err(error) => {
                tracing::warn!(data_export_id = id, error = %error, "nobody is invited to export {id}: {error}");
                0
            }
        };
        for _ in 0..missing.min(free.div_ceil(self.lanes().max(1))) {
            match worker.queue.invite(export).await {
                Ok(()) => tracing::info!(data_export_id = id, "another worker is invited to export {id}"),
                Err(error) => {
                    tracing::warn!(data_export_id = id, error = %error, "nobody is invited to export {id}: {error}");
                }
            }
            invitations.push(Instant::now());
        }
    }

    /// How many more workers the export may have beside its own and so many others.
    async fn missing(&self, others: usize) -> Result<usize, AwsError> {
        let Setup { worker, export, .. } = self.setup;
        if worker.splitting.max_workers as usize <= 1 + others {
            return Ok(0);
        }
        Ok(share::of(worker, export).await?.saturating_sub(1 + others))
    }

    /// Leaves the export if it has more workers than its share.
    async fn leave_if_too_many(&self, segments: &[Segment]) -> Result<(), AwsError> {
        let Setup { worker, export, worker_id, .. } = self.setup;
        let share = share::of(worker, export).await?;
        if share::is_beyond(share, &worker_id.to_string(), &self.other_workers(segments)) {
            let id = &export.data_export_id;
            tracing::info!(
                data_export_id = id,
                "an invited worker leaves export {id}, which may have {share} workers"
            );
            self.board.leave_export();
        }
        Ok(())
    }

    /// The other workers that have segments.
    fn other_workers(&self, segments: &[Segment]) -> BTreeSet<String> {
        let (now, own) = ((self.setup.worker.clock)(), self.setup.worker_id.to_string());
        let held =
            segments.iter().filter(|segment| segment.state == State::InProgress && segment.is_leased(now));
        let workers = held.filter_map(|segment| segment.lease_owner.as_deref()?.split('/').next());
        workers.filter(|worker| *worker != own).map(str::to_owned).collect()
    }
}
