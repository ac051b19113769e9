//! Objects beside the file that a checkpoint names: its tail, which holds the rows that do not yet make a part, and its
//! manifest. Another worker goes on with them.
//!
//! Each has a key of its own, so whoever still reads another one finds it unchanged.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>

use tokio_util::task::AbortOnDropHandle;
use usage_export::error::AwsError;
use usage_export::export::SideObject;

use crate::sink::bucket::Bucket;
use crate::sink::part::Part;

/// An object that is being written.
pub type Writing = AbortOnDropHandle<Result<(), AwsError>>;

/// Begins to write the bytes of `part` as the object `key`. The checkpoint that names it may be saved once it is written.
pub fn write(bucket: &Bucket, key: String, content_type: &str, part: Part) -> (SideObject, Writing) {
    let crc32 = part.crc32().clone().finalize();
    let object = SideObject { key, bytes: part.len() as u64, crc32 };
    let request = bucket.put_object(&object.key, content_type, part).customize().disable_payload_signing();
    let writing = tokio::spawn(async move {
        request.send().await.map_err(AwsError::from_sdk("s3:PutObject"))?;
        Ok(())
    });
    (object, AbortOnDropHandle::new(writing))
}

/// Reads an object.
///
/// # Errors
///
/// S3 refuses or cannot be reached, or the object is not what was written.
pub async fn read(bucket: &Bucket, object: &SideObject) -> Result<Vec<u8>, AwsError> {
    let sent = bucket.client.get_object().bucket(&bucket.name).key(&object.key).send().await;
    let body = sent.map_err(AwsError::from_sdk("s3:GetObject"))?.body;
    let bytes =
        body.collect().await.map_err(|error| AwsError::broken_answer("s3:GetObject", &error))?.to_vec();
    if bytes.len() as u64 != object.bytes || crc32fast::hash(&bytes) != object.crc32 {
        return Err(AwsError::unexpected(&object.key, "the object is not what was written"));
    }
    Ok(bytes)
}

/// Deletes an object that no checkpoint names any more, without waiting for it. If that fails, it is deleted when the export
/// ends.
pub fn delete_later(bucket: &Bucket, object: SideObject) {
    let bucket = bucket.clone();
    tokio::spawn(async move {
        let key = &object.key;
        if let Err(error) = bucket.delete(key).await {
            tracing::warn!(error = %error, "{key} is left until the export ends: {error}");
        }
    });
}
