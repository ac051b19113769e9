//! The records of an answer, taken out of its bytes while they arrive.
//!
//! The parser can stop between two records, not at any byte: what has arrived of a record when a frame ends is kept and
//! looked at again together with the next frame. What is not a record (counts, the key of the next page) stays in the
//! envelope.

use crate::parse::attributes::Attributes;
use crate::parse::cursor::{Cursor, Stop};
use crate::parse::record::{Record, RecordError, checked};
use crate::parse::shape::Shapes;

/// Why the bytes are not a whole answer. Asking DynamoDB again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerError {
    Malformed,
    CutOff,
}

/// Takes the records out of one answer.
#[derive(Debug)]
pub(crate) struct AnswerParser {
    attributes: Attributes,
    state: State,
    has_items: bool,
    /// What has arrived and is not taken yet: less than one record or one other member of the answer.
    pending: Vec<u8>,
    /// The answer without its records.
    envelope: Vec<u8>,
    shapes: Shapes,
    /// The first record that cannot be written. The rest of the answer is parsed all the same, because only a whole
    /// answer can be believed.
    record_error: Option<RecordError>,
}

/// What is expected next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    /// A member of the answer, or its end.
    Member { first: bool },
    /// An element of `Items`, or its end.
    Item { first: bool },
    /// Only white space.
    End,
    /// Nothing: the answer is malformed.
    Failed,
}

impl AnswerParser {
    pub(crate) fn new(attributes: Attributes) -> Self {
        Self {
            attributes,
            state: State::default(),
            has_items: false,
            pending: Vec::new(),
            envelope: Vec::new(),
            shapes: Shapes::default(),
            record_error: None,
        }
    }

    /// Parses a frame up to the last record that has arrived whole, and calls `each` with every record.
    ///
    /// # Errors
    ///
    /// [`AnswerError::Malformed`].
    pub(crate) fn feed(
        &mut self,
        frame: &[u8],
        each: &mut impl FnMut(&Record<'_>),
    ) -> Result<(), AnswerError> {
        if self.pending.is_empty() {
            let taken = self.take_all(frame, each)?;
            self.pending.extend_from_slice(&frame[taken..]);
            return Ok(());
        }
        self.pending.extend_from_slice(frame);
        // No record ends without a brace, so a long record is not parsed again with each of its frames.
        if frame.contains(&b'}') {
            let mut pending = std::mem::take(&mut self.pending);
            let taken = self.take_all(&pending, each)?;
            pending.drain(..taken);
            self.pending = pending;
        }
        Ok(())
    }

    /// Takes everything that has arrived whole; returns how many bytes that was.
    fn take_all(&mut self, bytes: &[u8], each: &mut impl FnMut(&Record<'_>)) -> Result<usize, AnswerError> {
        let mut taken = 0;
        loop {
            let mut cursor = Cursor::new(&bytes[taken..]);
            match self.step(&mut cursor, each) {
                Ok(()) => taken += cursor.at,
                Err(Stop::Incomplete) => return Ok(taken),
                Err(Stop::Malformed) => {
                    self.state = State::Failed;
                    return Err(AnswerError::Malformed);
                }
            }
        }
    }

    /// Takes one record, a run of records of known shapes, or one other member of the answer.
    fn step(&mut self, cursor: &mut Cursor<'_>, each: &mut impl FnMut(&Record<'_>)) -> Result<(), Stop> {
        self.state = match self.state {
            State::Start => {
                cursor.expect(b'{')?;
                self.envelope.push(b'{');
                State::Member { first: true }
            }
            State::Member { first } => {
                if cursor.next(first, b'}')? {
                    self.take_member(cursor)?
                } else {
                    self.envelope.push(b'}');
                    State::End
                }
            }
            State::Item { first } => {
                // Returns here, so that these records stay consumed even if the next one is incomplete.
                if !first && self.take_known_shapes(cursor, each) {
                    State::Item { first: false }
                } else if cursor.next(first, b']')? {
                    self.take_by_name(cursor, each)?;
                    State::Item { first: false }
                } else {
                    State::Member { first: false }
                }
            }
            State::End => {
                return Err(cursor.peek().map_or_else(|stop| stop, |_| Stop::Malformed));
            }
            State::Failed => return Err(Stop::Malformed),
        };
        Ok(())
    }

    /// Takes records as long as they have known shapes; returns whether there was one.
    fn take_known_shapes(&mut self, cursor: &mut Cursor<'_>, each: &mut impl FnMut(&Record<'_>)) -> bool {
        let bytes = cursor.rest();
        let mut rest = bytes;
        // One for all of them: making its values empty for each record would cost 6% of a row.
        let mut record = Record::ordinary();
        while let [b',', members @ ..] = rest
            && let Some(after) = self.shapes.take(members, &mut record)
        {
            if self.record_error.is_none() {
                each(&record);
            }
            rest = after;
        }
        cursor.at += bytes.len() - rest.len();
        rest.len() < bytes.len()
    }

    /// Takes one record of any shape.
    fn take_by_name(
        &mut self,
        cursor: &mut Cursor<'_>,
        each: &mut impl FnMut(&Record<'_>),
    ) -> Result<(), Stop> {
        let record = self.shapes.learn(&self.attributes, cursor)?;
        if self.record_error.is_none() {
            match checked(&self.attributes, &record) {
                Ok(values) => each(&Record::from(&values)),
                Err(error) => self.record_error = Some(error),
            }
        }
        Ok(())
    }

    /// Takes a member of the answer: the beginning of `Items`, or anything else as a whole.
    fn take_member(&mut self, cursor: &mut Cursor<'_>) -> Result<State, Stop> {
        cursor.peek()?;
        let start = cursor.at;
        if cursor.plain_name()? == b"Items" {
            cursor.expect(b'[')?;
            // The SDK would take the last of two; records of both would be written here.
            if std::mem::replace(&mut self.has_items, true) {
                return Err(Stop::Malformed);
            }
            return Ok(State::Item { first: true });
        }
        cursor.skip()?;
        if self.envelope.len() > 1 {
            self.envelope.push(b',');
        }
        self.envelope.extend_from_slice(cursor.since(start));
        Ok(State::Member { first: false })
    }

    /// The answer without its records, and the first record that cannot be written.
    ///
    /// # Errors
    ///
    /// [`AnswerError::CutOff`] when the answer has not arrived whole; [`AnswerError::Malformed`] when something follows it or
    /// when it has no `Items`, which every answer of `Query` for records has.
    pub(crate) fn finish(self) -> Result<(Vec<u8>, Option<RecordError>), AnswerError> {
        if self.state != State::End {
            return Err(AnswerError::CutOff);
        }
        if !self.has_items || Cursor::new(&self.pending).peek().is_ok() {
            return Err(AnswerError::Malformed);
        }
        Ok((self.envelope, self.record_error))
    }
}
