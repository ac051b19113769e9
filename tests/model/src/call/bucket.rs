//! The calls to S3.

use std::collections::BTreeMap;

use super::{Answer, Call, done_if};
use crate::Defect;
use crate::world::{PART_ROWS, Rows, State, World};

impl World {
    pub(super) fn take_place_in_s3(&mut self, call: &Call, defect: Option<Defect>) -> Answer {
        match call {
            Call::GetPlan { plan } | Call::PutPlan { plan } if defect == Some(Defect::PlanNotFrozen) => {
                Answer::Plan(*plan)
            }
            Call::GetPlan { plan } => Answer::Plan(self.bucket.plan.unwrap_or(*plan)),
            // With If-None-Match: the first plan stays.
            Call::PutPlan { plan } => Answer::Plan(*self.bucket.plan.get_or_insert(*plan)),
            Call::CreateUpload => {
                self.bucket.uploads_begun += 1;
                let id = self.bucket.uploads_begun;
                self.bucket.uploads.insert(id, BTreeMap::new());
                Answer::Upload(id)
            }
            Call::UploadPart { upload, number, rows } => self.upload_part(*upload, *number, *rows),
            Call::PutTail { tail } => {
                self.bucket.tails.insert(tail.key, tail.rows);
                Answer::Done
            }
            Call::GetTail { tail } => done_if(self.bucket.tails.get(&tail.key) == Some(&tail.rows)),
            Call::DeleteTail { key } => {
                self.bucket.tails.remove(key);
                Answer::Done
            }
            Call::PutFile { rows } => {
                if defect == Some(Defect::PutReplacesFile) {
                    self.bucket.file = None;
                }
                // With If-None-Match. What is there may be this file, whose answer was lost.
                let file = self.bucket.file.get_or_insert_with(|| vec![*rows]);
                if *file == [*rows] { Answer::Done } else { Answer::Mismatch }
            }
            Call::CompleteUpload { upload, parts, rows } => self.complete_upload(*upload, parts, *rows),
            Call::AbortUploads if defect == Some(Defect::AbortsOnlyTheNewestUpload) => {
                self.bucket.uploads.remove(&self.bucket.uploads_begun);
                Answer::Done
            }
            Call::AbortUploads => {
                self.bucket.uploads.clear();
                Answer::Done
            }
            Call::DeleteObjects => {
                self.bucket.tails.clear();
                self.bucket.plan = None;
                if matches!(self.record.state, State::Failed(_)) {
                    self.bucket.file = None;
                }
                Answer::Done
            }
            other => unreachable!("{other:?} is no call to S3"),
        }
    }

    fn upload_part(&mut self, upload: u8, number: u8, rows: Rows) -> Answer {
        let Some(parts) = self.bucket.uploads.get_mut(&upload) else { return Answer::Refused };
        let replaced = parts.insert(number, rows).is_some_and(|former| former != rows);
        let saved = self.record.checkpoint.as_ref();
        self.witness.part_overwritten |=
            replaced && saved.is_some_and(|at| at.upload == upload && at.parts.contains(&number));
        Answer::Done
    }

    /// Completes an upload with the parts of these numbers, and compares the file with what was written. An upload that is
    /// gone was completed before, or there is no file.
    fn complete_upload(&mut self, upload: u8, parts: &[u8], rows: u8) -> Answer {
        if let Some(stored) = self.bucket.uploads.get(&upload) {
            let file: Vec<Rows> = parts.iter().filter_map(|number| stored.get(number).copied()).collect();
            let is_too_small =
                file.split_last().is_some_and(|(_, others)| others.iter().any(|&part| is_small(part)));
            if file.len() < parts.len() || is_too_small || !parts.is_sorted() {
                return Answer::Mismatch;
            }
            self.bucket.uploads.remove(&upload);
            self.bucket.file = Some(file);
        }
        let Some(file) = &self.bucket.file else { return Answer::Mismatch };
        if is_consecutive(file, rows) { Answer::Done } else { Answer::Mismatch }
    }
}

/// Whether a file has the rows `0..rows` in order: what size and checksum say.
pub fn is_consecutive(file: &[Rows], rows: u8) -> bool {
    let mut next = 0;
    file.iter().all(|part| std::mem::replace(&mut next, part.to) == part.from) && next == rows
}

fn is_small(rows: Rows) -> bool {
    rows.to - rows.from < PART_ROWS
}
