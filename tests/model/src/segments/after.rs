//! What a worker does after the answer to a write.

use super::call::Answer;
use super::item::{Checkpoint, EXPORT, Id, Part, Reason, Stage, rows};
use super::look::Next;
use super::worker::{Draft, Kind, Split, Step, Worker};
use super::world::World;
use super::{Defect, End, MAX_ATTEMPTS};

impl Worker {
    /// The next step after an answer, or what becomes of the message.
    pub(super) fn after(&mut self, answer: Answer, world: &World, defect: Option<Defect>) -> Next {
        match (self.step, answer) {
            (Step::Claim(id), answer) => self.after_claim(id, answer, world, defect),
            (Step::Write | Step::SendPart, Answer::Done) => {
                self.keep_part();
                Ok(Step::Save)
            }
            (Step::Save, Answer::Done) => self.after_save(),
            (Step::PutSegment(split), _) if defect == Some(Defect::SplitShortensFirst) => {
                Ok(self.use_split(split, defect))
            }
            (Step::PutSegment(split), _) => Ok(Step::Shorten(split)),
            (Step::Shorten(split), Answer::Done) if defect == Some(Defect::SplitShortensFirst) => {
                Ok(Step::PutSegment(split))
            }
            (Step::Shorten(split), Answer::Done) => Ok(self.use_split(split, defect)),
            (Step::Shorten(split), _) => Ok(Step::LookAgain(split)),
            (Step::CompleteUpload, Answer::Done) => Ok(Step::Complete),
            (Step::CompleteUpload, _) => Ok(Step::Fail(Reason::IntegrityMismatch)),
            (Step::Join(segment), Answer::Done) => {
                self.keep_joined(segment, world);
                Ok(Step::Begin)
            }
            (Step::Complete | Step::Fail(_), answer) => self.after_end(answer),
            (Step::AbortUploads, _) => Ok(Step::DeleteObjects),
            (Step::DeleteObjects, _) => Ok(Step::Settle),
            (Step::Settle, _) => Err(End::Acknowledge),
            // The lease is lost, or S3 does not know the upload any more.
            _ => self.leave_item(),
        }
    }

    fn after_claim(&mut self, id: Id, answer: Answer, world: &World, defect: Option<Defect>) -> Next {
        match answer {
            Answer::Claimed { draft, attempts } => {
                self.drafts.push(draft);
                if id == EXPORT || defect == Some(Defect::ClaimIgnoresExport) {
                    return Ok(self.after_look(attempts));
                }
                Ok(Step::LookAtExport { attempts })
            }
            _ if id != EXPORT => Ok(Step::Begin),
            Answer::Final if world.is_settled => Err(End::Acknowledge),
            Answer::Final => Ok(Step::CheckLease(EXPORT)),
            _ => Err(End::PutBack),
        }
    }

    /// Goes on with an item that is claimed.
    pub(super) fn after_look(&mut self, attempts: u8) -> Step {
        if attempts > MAX_ATTEMPTS { Step::Fail(Reason::TooManyAttempts) } else { self.go_on() }
    }

    /// The next step with an item.
    fn go_on(&mut self) -> Step {
        let reads_segment = self.reads_segment();
        let Some(draft) = self.drafts.last_mut() else { return Step::Begin };
        if !draft.is_read() {
            // Unless a defect keeps pages of before a split.
            if draft.read <= draft.checkpoint.position {
                draft.read_page();
            }
            return Step::Write;
        }
        // Whoever has all rows in parts completes the same parts.
        let is_complete = reads_segment || draft.checkpoint.stage == Stage::AllRead;
        if is_complete { Step::CompleteUpload } else { Step::Begin }
    }

    fn keep_part(&mut self) {
        let Some(draft) = self.drafts.last_mut() else { return };
        let part = draft.next_part();
        draft.checkpoint.position = part.rows.to;
        draft.checkpoint.parts.push(part);
    }

    fn keep_joined(&mut self, segment: Id, world: &World) {
        let (Some(draft), Some(item)) = (self.drafts.last_mut(), &world.items[segment]) else { return };
        // How many rows its file has, as the segment says.
        let rows = rows(item.from, item.checkpoint.position);
        let number = draft.next_number();
        draft.joined.push(Part { number, rows });
        draft.joined_to = item.until;
    }

    fn after_save(&mut self) -> Next {
        if !self.hands_over {
            return Ok(match self.draft().map(|draft| &draft.checkpoint) {
                Some(Checkpoint { stage: Stage::Joining { .. }, .. }) => Step::Begin,
                _ => self.go_on(),
            });
        }
        // The segment is released; then the export, if the worker has that too.
        self.drafts.pop();
        match self.draft() {
            Some(_) => Ok(Step::Save),
            None => Err(if self.kind == Kind::Exporter { End::PutBack } else { End::Acknowledge }),
        }
    }

    /// After a split that took place: reads only up to the cut, and throws away what it has read beyond.
    pub(super) fn use_split(&mut self, Split { id, cut }: Split, defect: Option<Defect>) -> Step {
        if let Some(draft) = self.drafts.last_mut() {
            draft.until = cut;
            draft.next = Some(id);
            if defect != Some(Defect::ReadsBeyondCut) {
                draft.read = draft.read.min(cut);
            }
        }
        Step::Write
    }

    /// Joins the file of a segment, all before which are joined. Others may still be read. From the first one on, the numbers of the parts
    /// are fixed by a checkpoint.
    pub(super) fn join(&mut self, segment: Id, defect: Option<Defect>) -> Step {
        let Some(Draft { checkpoint, token, .. }) = self.drafts.last_mut() else { return Step::Begin };
        if checkpoint.stage != Stage::Reading || defect == Some(Defect::JoinNumbersByEpoch) {
            return Step::Join(segment);
        }
        let parts = u8::try_from(checkpoint.parts.len()).unwrap_or(u8::MAX);
        checkpoint.stage = Stage::Joining { first: parts + token.epoch };
        Step::Save
    }

    /// After a walk that found all segments joined, and their ranges without a gap: saves that every row is in a part.
    pub(super) fn end_join(&mut self) -> Step {
        if let Some(draft) = self.drafts.last_mut() {
            draft.checkpoint.parts.append(&mut draft.joined);
            draft.checkpoint.stage = Stage::AllRead;
        }
        Step::Save
    }

    /// After the last write to an item.
    fn after_end(&mut self, answer: Answer) -> Next {
        if answer != Answer::Done || self.reads_segment() {
            return self.leave_item();
        }
        self.drafts.clear();
        Ok(Step::CheckLease(EXPORT))
    }

    /// Goes on without an item that is finished or lost.
    pub(super) fn leave_item(&mut self) -> Next {
        self.hands_over = false;
        self.drafts.pop();
        if self.kind == Kind::Exporter && self.drafts.is_empty() {
            Err(End::PutBack)
        } else {
            Ok(Step::Begin)
        }
    }
}
