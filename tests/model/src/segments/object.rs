//! What the bucket has of each item, and the calls to it.

use std::collections::BTreeMap;

use super::call::Answer;
use super::item::{EXPORT, Id, Part, State, rows};
use super::world::World;
use crate::world::Rows;

/// The upload of an item. The model has one for each: that several can be begun is in [`crate::Life`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Upload {
    /// The first part begins it.
    #[default]
    NotBegun,
    /// Part numbers, and what was sent last under each.
    Begun(BTreeMap<u8, Rows>),
    /// Completed or aborted: S3 does not know it any more.
    Gone,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Object {
    pub upload: Upload,
    pub file: Option<Vec<Rows>>,
}

impl World {
    pub(super) fn upload_part(&mut self, id: Id, part: Part) -> Answer {
        let saved = self.items[id].as_ref().map(|item| &item.checkpoint);
        let is_saved = saved.is_some_and(|at| at.parts.iter().any(|saved| saved.number == part.number));
        let is_completed = self.state(id) == Some(State::Completed);
        let upload = &mut self.objects[id].upload;
        if *upload == Upload::NotBegun {
            *upload = Upload::Begun(BTreeMap::new());
        }
        let Upload::Begun(parts) = upload else { return Answer::Refused };
        let replaced = parts.insert(part.number, part.rows).is_some_and(|former| former != part.rows);
        self.witness.part_overwritten |= (replaced && is_saved) || is_completed;
        Answer::Done
    }

    /// Sends the file of a segment as a part of the export's.
    pub(super) fn copy_part(&mut self, segment: Id, number: u8) -> Answer {
        let file = self.objects[segment].file.as_deref();
        let Some((first, last)) = file.and_then(|file| file.first().zip(file.last())) else {
            return Answer::Refused;
        };
        let rows = rows(first.from, last.to);
        if self.objects[EXPORT].upload == Upload::NotBegun {
            return Answer::Refused;
        }
        self.upload_part(EXPORT, Part { number, rows })
    }

    /// Completes an upload with these parts. An upload that is gone was completed before, or there is no file.
    pub(super) fn complete_upload(&mut self, id: Id, parts: &[Part]) -> Answer {
        let was_completed = self.state(id) == Some(State::Completed);
        let object = &mut self.objects[id];
        let expected = || parts.iter().map(|part| part.rows);
        if let Upload::Begun(stored) = &object.upload {
            if !parts.iter().all(|part| stored.get(&part.number) == Some(&part.rows)) {
                return Answer::Mismatch;
            }
            object.upload = Upload::Gone;
            object.file = Some(expected().collect());
            self.witness.part_overwritten |= was_completed;
        }
        let is_right = object.file.as_ref().is_some_and(|file| file.iter().copied().eq(expected()));
        if is_right { Answer::Done } else { Answer::Mismatch }
    }

    /// Aborts every upload whose key begins with the export's.
    pub(super) fn abort_uploads(&mut self) {
        for object in &mut self.objects {
            if matches!(object.upload, Upload::Begun(_)) {
                object.upload = Upload::Gone;
            }
        }
    }

    /// Deletes every object whose key begins with the export's, but the file of a completed one.
    pub(super) fn delete_objects(&mut self) {
        let is_kept = self.state(EXPORT) == Some(State::Completed);
        for object in self.objects.iter_mut().skip(usize::from(is_kept)) {
            object.file = None;
        }
    }

    /// How many uploads and objects there are beside the file of a completed export.
    pub fn leftovers(&self) -> usize {
        let is_kept = self.state(EXPORT) == Some(State::Completed);
        let uploads = self.objects.iter().filter(|object| matches!(object.upload, Upload::Begun(_)));
        let files = self.objects.iter().skip(usize::from(is_kept)).filter(|object| object.file.is_some());
        uploads.count() + files.count()
    }
}
