//! What an export leaves behind once it is finished: uploads that were not completed, tails,
//! former manifests, the plan, and the file of an
//! export that failed.

use usage_export::error::AwsError;
use usage_export::export::{DataExport, State};

use crate::sink::bucket::Bucket;

/// What the key of the plan ends with.
pub const PLAN: &str = "plan.json";

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
    let mut left = bucket.keys(&prefix).await?;
    left.retain(|key| !kept.contains(key));
    bucket.delete_all(&left).await
}
