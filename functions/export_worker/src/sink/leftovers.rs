//! What an export leaves behind once it is finished: uploads that were not completed, tails,
//! former manifests, the plan, and the file of an
//! export that failed.

use futures::{StreamExt, TryStreamExt, stream};
use usage_export::error::AwsError;
use usage_export::export::{DataExport, State};

use crate::sink::bucket::Bucket;

/// What the key of the plan ends with.
pub const PLAN: &str = "plan.json";

/// How many objects are deleted at the same time.
const MAX_AT_ONCE: usize = 8;

/// Deletes what a finished export leaves behind. Repeating it changes nothing.
///
/// It looks for uploads and objects by the beginning of their keys, because a worker may have died before it could record
/// what it had made. Only the file and the manifest of a completed export stay.
///
/// # Errors
///
/// A call failed, and something may be left.
pub async fn delete(bucket: &Bucket, export: &DataExport) -> Result<(), AwsError> {
    let prefix = export.object_prefix();
    for (key, upload_id) in bucket.open_uploads(&prefix).await? {
        bucket.abort_upload(&key, &upload_id).await?;
    }
    let is_completed = export.state == State::Completed;
    let kept = is_completed
        .then(|| export.object_key())
        .into_iter()
        .chain(export.manifest.iter().map(|manifest| manifest.key.clone()));
    let kept: Vec<_> = kept.collect();
    let left = bucket.keys(&prefix).await?.into_iter().filter(|key| !kept.contains(key));
    let deleting = stream::iter(left).map(|key| async move { bucket.delete(&key).await });
    deleting.buffer_unordered(MAX_AT_ONCE).try_collect().await
}
