//! What the lanes of a worker know of each other and of the segments of their export. A lane reads one segment at a time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};
use tokio_util::task::TaskTracker;
use usage_export::error::AwsError;
use usage_export::export::store::Exports;
use usage_export::export::store::lease::Lease;
use usage_export::export::{Cut, Segment, State};
use usage_records::plan::Plan;

/// How long a worker that stops waits for claims that are on their way.
const MAX_WAIT_FOR_CLAIMS: Duration = Duration::from_secs(5);

/// The state of one worker's lanes.
#[derive(Debug)]
pub struct Board {
    /// The segments of the export behind the first one, in order, as they were last seen.
    segments: watch::Sender<Vec<Segment>>,
    /// Those that this worker has made and not seen yet.
    made: Mutex<Vec<Segment>>,
    /// The key of the first of them.
    first: Mutex<Option<String>>,
    /// What the segments add to how far the export is.
    others: Mutex<Others>,
    /// How much time each of them covers, with where it ended when that was computed.
    covers: Mutex<HashMap<String, (Option<Cut>, Duration)>>,
    lanes: Mutex<Vec<Arc<Lane>>>,
    /// Whether the owner of the export reads its first segment.
    reads_first: AtomicBool,
    /// The leases of segments that this worker has.
    leases: Arc<Mutex<Vec<Lease>>>,
    /// Claims that are on their way. They are not given up with the lane that wants the segment: nobody would know what came of them.
    claims: TaskTracker,
    /// Whether this worker leaves the export before its time.
    leaves: watch::Sender<bool>,
    /// Told after a split, and when a lane has nothing to do.
    pub changed: Notify,
}

/// How far the segments behind the first one are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Others {
    /// The time that is read of them.
    pub covered: Duration,
    /// The rows that are written of them.
    pub rows: u64,
}

/// Something that is being read by this worker, which can be split.
#[derive(Debug, Default)]
pub struct Lane {
    /// How many pages seem to be left; 0 while that is not known, or if it cannot be split.
    pages_left: AtomicU32,
    /// Into how many pieces it is to be split; 0 if it is not.
    wanted: AtomicU32,
}

impl Board {
    /// A board of an export whose first segment is followed by this one.
    pub fn new(first: Option<String>) -> Self {
        Self {
            segments: watch::Sender::new(Vec::new()),
            made: Mutex::default(),
            first: Mutex::new(first),
            others: Mutex::default(),
            covers: Mutex::default(),
            lanes: Mutex::default(),
            reads_first: AtomicBool::new(false),
            leases: Arc::default(),
            claims: TaskTracker::new(),
            leaves: watch::Sender::new(false),
            changed: Notify::new(),
        }
    }

    /// The key of the segment behind the first one.
    pub fn first(&self) -> Option<String> {
        lock(&self.first).clone()
    }

    /// After the export itself was split.
    pub fn set_first(&self, key: &str) {
        *lock(&self.first) = Some(key.to_owned());
    }

    /// The segments as they were last seen.
    pub fn segments(&self) -> Vec<Segment> {
        self.segments.borrow().clone()
    }

    /// Tells each time the segments were looked at.
    pub fn watch(&self) -> watch::Receiver<Vec<Segment>> {
        self.segments.subscribe()
    }

    /// The segments were looked at.
    pub fn saw(&self, segments: Vec<Segment>, plan: &Plan) {
        let mut others = Others::default();
        let mut covers = lock(&self.covers);
        for segment in &segments {
            let percent = if segment.state == State::Completed { 100 } else { u32::from(segment.progress) };
            let known =
                covers.get(&segment.key).filter(|(until, _)| *until == segment.until).map(|(_, all)| *all);
            let all = known.unwrap_or_else(|| plan.covers(&segment.range()));
            covers.insert(segment.key.clone(), (segment.until.clone(), all));
            others.covered += all * percent / 100;
            others.rows += segment.row_count;
        }
        *lock(&self.others) = others;
        self.segments.send_replace(segments);
    }

    /// This worker has made new segments: the next look finds them together, and not by a call for each on the way from one to the next.
    pub fn made(&self, new: Vec<Segment>) {
        lock(&self.made).extend(new);
    }

    /// The segments that a look can expect: those that were last seen, and new ones.
    pub fn expected(&self) -> Vec<Segment> {
        let made = std::mem::take(&mut *lock(&self.made));
        self.segments().into_iter().chain(made).collect()
    }

    /// How far the segments are.
    pub fn others(&self) -> Others {
        *lock(&self.others)
    }

    /// The owner of the export begins, or ends, to read its first segment.
    pub fn reads_first(&self, reads: bool) {
        self.reads_first.store(reads, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// How many lanes are taken by the first segment.
    pub fn lanes_of_first(&self) -> usize {
        usize::from(self.reads_first.load(Ordering::Relaxed))
    }

    /// This worker leaves the export: its lanes save what they have, and begin nothing.
    pub fn leave_export(&self) {
        self.leaves.send_replace(true);
    }

    /// Whether it does.
    pub fn leaves_export(&self) -> bool {
        *self.leaves.borrow()
    }

    /// Waits until it does.
    pub async fn left_export(&self) {
        // The sender lives as long as this.
        let _ = self.leaves.subscribe().wait_for(|leaves| *leaves).await;
    }

    /// Begins to read something that can be split, until [`Board::leave`].
    pub fn enter(&self) -> Arc<Lane> {
        let lane = Arc::new(Lane::default());
        lock(&self.lanes).push(Arc::clone(&lane));
        lane
    }

    /// Ends it.
    pub fn leave(&self, lane: &Arc<Lane>) {
        lock(&self.lanes).retain(|other| !Arc::ptr_eq(other, lane));
    }

    /// Asks for a split of what this worker has most left of, into up to `pieces` of at least `min_pages` pages. A split that is
    /// on its way is waited for.
    pub fn ask_to_split(&self, pieces: u32, min_pages: u32) {
        let lanes = lock(&self.lanes);
        if lanes.iter().any(|lane| lane.wanted.load(Ordering::Relaxed) > 0) {
            return;
        }
        let Some(largest) = lanes.iter().max_by_key(|lane| lane.pages_left.load(Ordering::Relaxed)) else {
            return;
        };
        let pieces = pieces.min(largest.pages_left.load(Ordering::Relaxed) / min_pages.max(1));
        if pieces > 1 {
            largest.wanted.store(pieces, Ordering::Relaxed);
        }
    }

    /// Claims a segment for this worker. `None` if another one has it.
    ///
    /// # Errors
    ///
    /// DynamoDB refuses or cannot be reached.
    pub async fn claim(
        &self,
        exports: &Exports,
        key: String,
        owner: String,
        now: DateTime<Utc>,
    ) -> Result<Option<Segment>, AwsError> {
        let (exports, leases) = (exports.clone(), Arc::clone(&self.leases));
        let claiming = self.claims.spawn(async move {
            let claimed = exports.claim_segment(&key, &owner, now).await?;
            lock(&leases).extend(claimed.as_ref().map(Lease::of_segment));
            Ok(claimed)
        });
        claiming.await.map_err(AwsError::from_join("claim of a segment"))?
    }

    /// Waits for what becomes of claims that are on their way, if that does not take long.
    pub async fn finish_claims(&self) {
        self.claims.close();
        // A claim that takes longer leaves a lease that runs out.
        let _ = tokio::time::timeout(MAX_WAIT_FOR_CLAIMS, self.claims.wait()).await;
    }

    /// It has no longer, or never had, the lease.
    pub fn gave_back(&self, lease: &Lease) {
        lock(&self.leases).retain(|other| other != lease);
    }

    /// The leases of segments that this worker has.
    pub fn leases(&self) -> Vec<Lease> {
        lock(&self.leases).clone()
    }
}

impl Lane {
    /// So many pages seem to be left. Returns whether it was not known before that there are any.
    pub fn has_left(&self, pages: u32) -> bool {
        self.pages_left.swap(pages, Ordering::Relaxed) == 0 && pages > 0
    }

    /// Into how many pieces it is to be split, if it is.
    pub fn wanted_pieces(&self) -> Option<u32> {
        Some(self.wanted.load(Ordering::Relaxed)).filter(|pieces| *pieces > 0)
    }

    /// It was split, or cannot be.
    pub fn was_asked(&self) {
        self.wanted.store(0, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
