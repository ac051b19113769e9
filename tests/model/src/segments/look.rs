//! The steps at which a worker reads an item, and what it does after that.

use super::item::{EXPORT, Id, Item, Reason, State};
use super::worker::{Kind, Split, Step, Walk, Worker};
use super::world::World;
use super::{Defect, End, ROWS};

/// The next step, or what becomes of the message.
pub type Next = Result<Step, End>;

impl Worker {
    /// Reads the item that its step names. Reads are strongly consistent.
    pub(super) fn look(&mut self, world: &World, defect: Option<Defect>) -> Next {
        match self.step {
            Step::LookAtExport { .. } if world.is_final() => Err(End::PutBack),
            Step::LookAtExport { attempts } => Ok(self.after_look(attempts)),
            Step::LookAgain(split) => self.look_again(split, world, defect),
            Step::Begin => self.begin(world, defect),
            Step::Visit(id, walk) => self.visit(id, walk, world, defect),
            Step::CheckLease(id) => Ok(match world.items[id].as_ref().and_then(|item| item.next) {
                Some(next) => Step::CheckLease(next),
                None => Step::AbortUploads,
            }),
            other => unreachable!("{other:?} reads nothing"),
        }
    }

    fn look_again(&mut self, split: Split, world: &World, defect: Option<Defect>) -> Next {
        let (Some(draft), Some(item)) =
            (self.draft(), self.draft().and_then(|draft| world.item(draft.token)))
        else {
            return self.leave_item();
        };
        if item.next == Some(split.id) {
            return Ok(self.use_split(split, defect));
        }
        if item.state.is_final() || item.next != draft.next {
            return self.leave_item();
        }
        // The request may still be on its way: only a repetition ends that.
        Ok(if defect == Some(Defect::SplitGivenUp) { Step::Write } else { Step::Shorten(split) })
    }

    fn begin(&mut self, world: &World, defect: Option<Defect>) -> Next {
        if world.is_final() {
            return Err(End::PutBack);
        }
        let own = self.draft().map(|draft| (world.item(draft.token).is_some(), draft.until));
        match own {
            // The lease is lost.
            Some((false, _)) => Err(End::PutBack),
            Some((true, until)) => {
                let next = self.draft().and_then(|draft| draft.next);
                self.walk_on(next, Walk { reached: until, has_unfinished: false }, world, defect)
            }
            None => {
                let export = world.items[EXPORT].as_ref();
                let (reached, next) = export.map_or((0, None), |item| (item.until, item.next));
                self.walk_on(next, Walk { reached, has_unfinished: false }, world, defect)
            }
        }
    }

    fn visit(&mut self, id: Id, walk: Walk, world: &World, defect: Option<Defect>) -> Next {
        let Some(item) = &world.items[id] else { return Ok(Step::Begin) };
        let is_exporter = self.kind == Kind::Exporter;
        match item.state {
            State::Failed(reason) if is_exporter && defect != Some(Defect::FailedSegmentIsIgnored) => {
                return Ok(Step::Fail(reason));
            }
            State::Requested | State::InProgress if self.may_claim(id, world, defect) => {
                return Ok(Step::Claim(id));
            }
            _ => {}
        }
        let is_joined = item.state == State::Completed || defect == Some(Defect::JoinBeforeAllCompleted);
        let Item { from, until, next, .. } = *item;
        let is_next = self.draft().is_some_and(|draft| from >= draft.joined_to.max(draft.until));
        if is_exporter && is_joined && is_next && !walk.has_unfinished {
            return Ok(self.join(id, defect));
        }
        let reached = if walk.reached == from { until } else { walk.reached };
        let walk = Walk { reached, has_unfinished: walk.has_unfinished || !is_joined };
        self.walk_on(next, walk, world, defect)
    }

    fn may_claim(&self, id: Id, world: &World, defect: Option<Defect>) -> bool {
        let only_waits = self.kind == Kind::Exporter && defect == Some(Defect::ExporterOnlyWaits);
        !world.is_leased(id) && !only_waits
    }

    fn walk_on(&mut self, next: Option<Id>, walk: Walk, world: &World, defect: Option<Defect>) -> Next {
        match (next, self.kind) {
            (Some(id), _) => Ok(Step::Visit(id, walk)),
            (None, Kind::Invited) if defect == Some(Defect::TakesUnnamedSegments) => {
                world.free().next().map(Step::Claim).ok_or(End::Acknowledge)
            }
            (None, Kind::Invited) => Err(End::Acknowledge),
            (None, Kind::Exporter) if walk.has_unfinished => Ok(Step::Begin),
            (None, Kind::Exporter) if walk.reached != ROWS => Ok(Step::Fail(Reason::IntegrityMismatch)),
            (None, Kind::Exporter) => Ok(self.end_join()),
        }
    }
}

impl World {
    /// Whether a worker looks in vain until somebody else does something. The model lets it wait.
    pub(super) fn has_to_wait(&self, worker: &Worker, defect: Option<Defect>) -> bool {
        match worker.step {
            Step::Claim(EXPORT) => self.is_leased(EXPORT) && !self.is_final(),
            Step::CheckLease(id) => {
                let ignores = id != EXPORT && defect == Some(Defect::CleansUpBesideSegments);
                self.is_leased(id) && !ignores
            }
            Step::Begin if worker.kind == Kind::Exporter => !self.has_news(worker, defect),
            _ => false,
        }
    }

    /// Whether the export's worker finds something to do on a walk.
    fn has_news(&self, worker: &Worker, defect: Option<Defect>) -> bool {
        let is_lost = worker.draft().is_none_or(|draft| self.item(draft.token).is_none());
        if self.is_final() || is_lost || defect == Some(Defect::JoinBeforeAllCompleted) {
            return true;
        }
        let states = || self.named().skip(1).filter_map(|id| self.state(id));
        let has_failed = states().any(|state| matches!(state, State::Failed(_)));
        let has_free = self.named().skip(1).any(|id| self.is_free(id));
        (has_failed && defect != Some(Defect::FailedSegmentIsIgnored))
            || (has_free && defect != Some(Defect::ExporterOnlyWaits))
            || states().all(|state| state == State::Completed)
            || self.has_more_to_join(worker)
    }

    /// Whether the segment behind those that are joined is completed.
    fn has_more_to_join(&self, worker: &Worker) -> bool {
        let to = worker.draft().map_or(0, |draft| draft.joined_to.max(draft.until));
        let mut items = self.named().skip(1).filter_map(|id| self.items[id].as_ref());
        items.find(|item| item.from >= to).is_some_and(|item| item.state == State::Completed)
    }
}
