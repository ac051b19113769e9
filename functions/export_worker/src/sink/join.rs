//! Joins the files of segments behind the first one: what is large enough is copied within S3, the pieces between through memory.
//!
//! Which bytes make which part follows from the sizes alone, and the numbers from the first one, so whoever joins again sends the same, and
//! need not send what has arrived. Segments are joined while those behind them are still read.

use std::collections::BTreeSet;
use std::ops::Range;

use futures::{StreamExt, TryStreamExt, stream};
use usage_export::error::AwsError;
use usage_export::export::SideObject;

use crate::sink::part::Part;
use crate::sink::upload::{MAX_PART_NUMBER, MIN_JOINED_BYTES, Upload, UploadError};

/// The least that S3 takes as a part that is not the last one.
const MIN_PART: u64 = MIN_JOINED_BYTES as u64;

/// The most that is copied as one part: S3 takes up to 5 GiB, but copies several smaller parts at the same time.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MAX_COPY: u64 = 512 * 1024 * 1024;

/// How many parts are copied or sent at the same time.
const MAX_IN_FLIGHT: usize = 16;

/// A part of the joined file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum JoinedPart {
    /// These bytes of a source, within S3.
    Copied(usize, Range<u64>),
    /// The bytes that are pending from before if it is the first one, then these bytes of sources: through memory.
    Sent { has_pending: bool, pieces: Vec<(usize, Range<u64>)> },
}

/// Sources while they are joined, in order, behind what was uploaded.
#[derive(Debug)]
pub struct Join {
    upload_id: String,
    /// The number of the first part.
    first: u32,
    /// The bytes before the first source, which have no part yet.
    pending: Part,
    sources: Vec<SideObject>,
    /// How many parts have arrived.
    arrived: u32,
    /// The numbers of parts that a former lease owner has sent: theirs have the same bytes.
    sent_before: BTreeSet<u32>,
}

impl Join {
    /// Begins to join behind what was uploaded and the `pending` bytes. The parts have numbers from `first` on. If a former owner of the
    /// lease has begun, what it has sent is not sent again.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn begin(
        upload: &mut Upload,
        first: u32,
        pending: Part,
        has_begun: bool,
    ) -> Result<Self, AwsError> {
        let upload_id = upload.begin().await?.to_owned();
        let sent_before = if has_begun { upload.numbers_from(first).await? } else { BTreeSet::new() };
        Ok(Self { upload_id, first, pending, sources: Vec::new(), arrived: 0, sent_before })
    }

    /// Adds sources, and sends the parts that are full. The last one, which may be smaller, is sent if these are the last sources.
    ///
    /// # Errors
    ///
    /// A call failed, or S3 takes no more parts. Nothing is lost: whoever tries again sends the same parts.
    pub async fn add(
        &mut self,
        upload: &Upload,
        sources: impl IntoIterator<Item = SideObject>,
        are_last: bool,
    ) -> Result<(), UploadError> {
        self.sources.extend(sources);
        let sizes: Vec<_> = self.sources.iter().map(|source| source.bytes).collect();
        let parts = layout(self.pending.len() as u64, &sizes, are_last);
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        if self.first.saturating_add(count) > MAX_PART_NUMBER + 1 {
            return Err(UploadError::TooLarge);
        }
        // After the last sources nobody reads any more.
        let _more = are_last.then(|| upload.place().0.more_parts());
        let missing = (self.first..).zip(parts).skip(self.arrived as usize);
        let missing = missing.filter(|(number, _)| !self.sent_before.contains(number));
        let sending = stream::iter(missing).map(|(number, part)| self.send(upload, number, part));
        sending.buffer_unordered(MAX_IN_FLIGHT).try_collect::<()>().await?;
        self.arrived = count;
        Ok(())
    }

    /// Counts the parts as the upload's, after the last sources.
    pub fn finish(self, upload: &mut Upload) {
        let mut crc32 = self.pending.crc32().clone();
        let mut bytes = self.pending.len() as u64;
        for source in &self.sources {
            crc32.combine(&crc32fast::Hasher::new_with_initial_len(source.crc32, source.bytes));
            bytes += source.bytes;
        }
        upload.join_parts(self.first, self.arrived, bytes, &crc32);
    }

    async fn send(&self, upload: &Upload, number: u32, part: JoinedPart) -> Result<(), AwsError> {
        let ((bucket, key), id, sources) = (upload.place(), &self.upload_id, &self.sources);
        match part {
            JoinedPart::Copied(source, range) => {
                bucket.copy_part(key, id, number, &sources[source].key, range).await
            }
            JoinedPart::Sent { has_pending, pieces } => {
                // Lanes may still be reading: all parts that are in memory share a bound. A part is at most twice as large as the least.
                let len: u64 = pieces.iter().map(|(_, range)| range.end - range.start).sum();
                let _permits = bucket.parts.acquire_many(if len > MIN_PART { 2 } else { 1 }).await;
                let mut part = if has_pending { self.pending.clone() } else { Part::default() };
                for (source, range) in pieces {
                    bucket.read_to(&mut part, &sources[source].key, range).await?;
                }
                bucket.upload_part(key, id, number, &part).await?;
                Ok(())
            }
        }
    }
}

/// The parts that `pending` bytes and then sources of these sizes make: each but the last one has at least 5 MiB. If more sources follow, the
/// bytes that do not make a part yet are left out; the parts before them stay as they are, whatever follows.
///
/// What is less than a part goes through memory with the beginning of the next source; or with all of it, if what is left of it would be too
/// small as well: so one small source does not take all behind it through memory.
fn layout(pending: u64, sizes: &[u64], are_last: bool) -> Vec<JoinedPart> {
    let mut parts = Vec::new();
    // What is to go through memory and is not yet large enough.
    let (mut has_pending, mut pieces, mut len) = (pending > 0, Vec::new(), pending);
    for (source, size) in sizes.iter().copied().enumerate() {
        let mut at = 0;
        if len > 0 {
            let wanted = MIN_PART.saturating_sub(len);
            at = if size < wanted + MIN_PART { size } else { wanted };
            if at > 0 {
                pieces.push((source, 0..at));
                len += at;
            }
            if len >= MIN_PART {
                parts.push(JoinedPart::Sent { has_pending, pieces: std::mem::take(&mut pieces) });
                (has_pending, len) = (false, 0);
            }
        }
        while size - at >= MIN_PART {
            let copied = match size - at {
                left if left <= MAX_COPY => left,
                // What is left has to be large enough, too.
                left if left - MAX_COPY < MIN_PART => left / 2,
                _ => MAX_COPY,
            };
            parts.push(JoinedPart::Copied(source, at..at + copied));
            at += copied;
        }
        if at < size {
            pieces.push((source, at..size));
            len += size - at;
        }
    }
    if len > 0 && are_last {
        parts.push(JoinedPart::Sent { has_pending, pieces });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn random_size(rng: &mut fastrand::Rng) -> u64 {
        match rng.u8(..6) {
            0 => 0,
            1 => rng.u64(1..100),
            2 => rng.u64(1..MIN_PART),
            3 => rng.u64(MIN_PART - 1..=MIN_PART + 1),
            4 => MAX_COPY + rng.u64(..2 * MIN_PART),
            _ => rng.u64(..3 * MAX_COPY),
        }
    }

    #[test]
    fn a_small_source_takes_one_part_through_memory_and_not_all_behind_it() {
        let sources = [3 * MIB, 6 * MIB, 7 * MIB, 1, 20 * MIB, 7 * MIB];
        let through_memory = |part: &JoinedPart| match part {
            JoinedPart::Sent { pieces, .. } => pieces.iter().map(|(_, range)| range.end - range.start).sum(),
            JoinedPart::Copied(..) => 0,
        };
        let sent: Vec<u64> = layout(0, &sources, true).iter().map(through_memory).collect();
        assert_eq!(sent, [9 * MIB, 0, 5 * MIB, 0, 0]);
    }

    #[test]
    fn every_byte_is_in_one_part_in_order_and_parts_are_as_large_as_s3_wants() {
        let mut rng = fastrand::Rng::new();
        for _ in 0..2_000 {
            let pending = if rng.bool() { 0 } else { rng.u64(..8 * MIB) };
            let sizes: Vec<_> = (0..rng.usize(..8)).map(|_| random_size(&mut rng)).collect();
            let parts = layout(pending, &sizes, true);
            let so_far = layout(pending, &sizes[..rng.usize(..=sizes.len())], false);
            assert_eq!(so_far, parts[..so_far.len()], "what follows changes nothing");
            let (mut at, mut pending_at) = (vec![0; sizes.len()], Vec::new());
            for (nth, part) in parts.iter().enumerate() {
                let (pieces, mut len) = match part {
                    JoinedPart::Copied(source, range) => (vec![(*source, range.clone())], 0),
                    JoinedPart::Sent { has_pending, pieces } => {
                        pending_at.extend(has_pending.then_some(nth));
                        (pieces.clone(), if *has_pending { pending } else { 0 })
                    }
                };
                for (source, range) in pieces {
                    assert_eq!(range.start, at[source], "{sizes:?}: {parts:?}");
                    assert!(
                        sizes[..source].iter().zip(&at).all(|(size, at)| size == at),
                        "in order: {parts:?}"
                    );
                    at[source] = range.end;
                    len += range.end - range.start;
                }
                assert!(len >= MIN_PART || nth + 1 == parts.len(), "{pending} {sizes:?}: {parts:?}");
                let limit = match part {
                    JoinedPart::Copied(..) => MAX_COPY,
                    JoinedPart::Sent { has_pending: true, .. } => 8 * MIB + 2 * MIN_PART,
                    JoinedPart::Sent { .. } => 2 * MIN_PART,
                };
                assert!(len <= limit && len > 0, "{parts:?}");
            }
            assert_eq!(at, sizes);
            assert_eq!(pending_at, if pending > 0 { vec![0] } else { vec![] });
        }
    }
}
