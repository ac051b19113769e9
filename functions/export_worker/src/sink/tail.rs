//! The tail of a file: rows that do not yet make a part, kept in an object so that another worker need not read them again.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>

use aws_sdk_s3::types::ChecksumAlgorithm;
use usage_export::error::AwsError;
use usage_export::export::Tail;

use crate::sink::bucket::Bucket;
use crate::sink::part::Part;
use crate::sink::upload::base64_crc32;

/// Writes the rows of `part` as the object `key`. The key must be a new one: whoever still reads another tail must find it
/// unchanged.
///
/// # Errors
///
/// S3 refuses or cannot be reached.
pub async fn put(bucket: &Bucket, key: String, part: &Part) -> Result<Tail, AwsError> {
    let crc32 = part.crc32().clone().finalize();
    bucket
        .client
        .put_object()
        .bucket(&bucket.name)
        .key(&key)
        .checksum_algorithm(ChecksumAlgorithm::Crc32)
        .checksum_crc32(base64_crc32(crc32))
        .body(part.clone().into())
        .customize()
        // As for a part: S3 compares the CRC-32.
        .disable_payload_signing()
        .send()
        .await
        .map_err(AwsError::from_sdk("s3:PutObject"))?;
    Ok(Tail { key, bytes: part.len() as u64, crc32 })
}

/// Reads the rows of a tail.
///
/// # Errors
///
/// S3 refuses or cannot be reached, or the object is not what was written.
pub async fn get(bucket: &Bucket, tail: &Tail) -> Result<Vec<u8>, AwsError> {
    let object = bucket.client.get_object().bucket(&bucket.name).key(&tail.key).send().await;
    let object = object.map_err(AwsError::from_sdk("s3:GetObject"))?;
    let rows = object.body.collect().await.map_err(|error| AwsError::internal(&tail.key, &error))?.to_vec();
    if rows.len() as u64 != tail.bytes || crc32fast::hash(&rows) != tail.crc32 {
        return Err(AwsError::unexpected(&tail.key, "the tail is not what was written"));
    }
    Ok(rows)
}

/// Deletes a tail that no checkpoint names any more. If that fails, it is deleted when the export ends.
pub async fn delete(bucket: &Bucket, tail: &Tail) {
    if let Err(error) = bucket.delete(&tail.key).await {
        tracing::warn!(error = %error, "the tail {} is left until the export ends: {error}", tail.key);
    }
}
