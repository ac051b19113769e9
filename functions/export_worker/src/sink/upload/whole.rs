//! A file that is put into the bucket by one request, because it is small: no multipart upload, which takes four.

use aws_sdk_s3::error::ProvideErrorMetadata;
use usage_export::error::AwsError;
use usage_export::export::document::Document;

use super::{Upload, UploadError};
use crate::sink::bucket::StoredFile;
use crate::sink::part::Part;

impl Upload {
    /// Puts the whole file into the bucket, unless there is one, and returns the file that S3 then has, which was compared with `part`.
    /// Nothing may have been sent before.
    ///
    /// The request may arrive late, or twice. It never replaces a file: that of the worker that went on with the export stays.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
    ///
    /// # Errors
    ///
    /// [`UploadError::IntegrityMismatch`] if S3 has another file; S3 refuses or cannot be reached.
    pub async fn put(mut self, part: Part) -> Result<StoredFile, UploadError> {
        self.bytes = part.len() as u64;
        self.crc32 = part.crc32().clone();
        let put = self.bucket.put_object(&self.key, Document::CSV, part).if_none_match("*");
        match put.customize().disable_payload_signing().send().await {
            Ok(_) => {}
            // It may be this one: its answer was lost, and the SDK sent it again.
            Err(error) if error.code() == Some("PreconditionFailed") => {}
            Err(error) => return Err(AwsError::from_sdk("s3:PutObject")(error).into()),
        }
        self.stored().await
    }
}
