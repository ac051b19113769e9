//! Downloads of a completed export: the bytes of a document, or a URL to S3 that is valid for minutes.

use std::time::Duration;

use aws_sdk_s3::Client as S3;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::{HeadObjectError, HeadObjectOutput};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::checksum_text;
use super::document::Document;
use crate::error::AwsError;
use crate::problem::{RequestError, refusal};

/// How long a presigned URL is valid: enough to follow a redirect. It is signed at the click, and never stored or mailed.
pub const URL_LIFE: Duration = Duration::from_mins(5);

/// Reads the documents of exports from their S3 bucket.
#[derive(Debug, Clone)]
pub struct ExportFiles {
    /// Signs URLs and reads files. Its credentials may read the bucket.
    pub s3: S3,
    /// The name of the bucket.
    pub bucket: String,
}

impl ExportFiles {
    /// Reads the whole document into memory. Ask for small ones only, by [`Document::bytes`].
    ///
    /// # Errors
    ///
    /// 404 once S3 has deleted it. An internal error if S3 cannot be read, or if it is not what the worker wrote, by its size
    /// and checksum: no file is better than another one.
    pub async fn read(&self, document: &Document) -> Result<Vec<u8>, RequestError> {
        let sent = self.s3.get_object().bucket(&self.bucket).key(&document.key).send().await;
        let object = match sent {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Err(refusal::expired().into());
            }
            Err(error) => return Err(AwsError::from_sdk("s3:GetObject")(error).into()),
        };
        let bytes = object
            .body
            .collect()
            .await
            .map_err(|error| AwsError::broken_answer("s3:GetObject", &error))?
            .to_vec();
        let stored = StoredObject {
            bytes: u64::try_from(bytes.len()).ok(),
            checksum: Some(checksum_text(crc32fast::hash(&bytes))),
            etag: object.e_tag,
        };
        stored.must_be(document)?;
        Ok(bytes)
    }

    /// Signs a URL that downloads the document for five minutes, for a caller who has just been authorized.
    ///
    /// The object is compared with what the worker wrote right before. A URL cannot be bound to it: `If-Match` is a header, which
    /// a browser that follows a redirect does not send, and the bucket keeps one version of a key. So an object that is replaced
    /// within those five minutes would be served; the product itself never writes one twice.
    ///
    /// # Errors
    ///
    /// As for [`ExportFiles::read`]; a URL of an object that is gone would show the caller an error of S3 in XML.
    pub async fn presign(&self, document: &Document) -> Result<String, RequestError> {
        let key = &document.key;
        let head = self.s3.head_object().bucket(&self.bucket).key(key).checksum_mode(ChecksumMode::Enabled);
        match head.send().await {
            Ok(head) => StoredObject::of(head).must_be(document)?,
            Err(error) if is_missing(&error) => return Err(refusal::expired().into()),
            Err(error) => return Err(AwsError::from_sdk("s3:HeadObject")(error).into()),
        }
        let config = PresigningConfig::expires_in(URL_LIFE)
            .map_err(|error| AwsError::internal("presigning", &error))?;
        let presigned = self
            .s3
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .response_content_type(document.content_type)
            .response_content_disposition(document.content_disposition())
            .presigned(config)
            .await
            .map_err(AwsError::from_sdk("s3:GetObject (presign)"))?;
        Ok(presigned.uri().to_owned())
    }
}

/// An object as S3 describes it.
struct StoredObject {
    bytes: Option<u64>,
    /// In the form of [`Document::checksum`]. `None` if S3 knows only checksums of parts.
    checksum: Option<String>,
    etag: Option<String>,
}

impl StoredObject {
    fn of(head: HeadObjectOutput) -> Self {
        let is_of_whole_object = head.checksum_type == Some(ChecksumType::FullObject);
        Self {
            bytes: head.content_length.and_then(|length| u64::try_from(length).ok()),
            checksum: head.checksum_crc32.filter(|_| is_of_whole_object).as_deref().and_then(from_base64),
            etag: head.e_tag,
        }
    }

    /// Compares it with what the worker wrote.
    ///
    /// # Errors
    ///
    /// It is another one: its size differs or its checksum, or its `ETag` if S3 has no checksum.
    fn must_be(&self, document: &Document) -> Result<(), AwsError> {
        let is_same = match &self.checksum {
            Some(_) => self.checksum == document.checksum,
            None => self.etag.is_some() && self.etag == document.etag,
        };
        if is_same && self.bytes == document.bytes {
            return Ok(());
        }
        let Self { bytes, checksum, etag } = self;
        let reason = format!(
            "{bytes:?} bytes, {checksum:?}, ETag {etag:?} instead of {:?}, {:?}, {:?}",
            document.bytes, document.checksum, document.etag
        );
        Err(AwsError::corrupt(format!("{} of {}", document.file_name, document.data_export_id), reason))
    }
}

/// Reads a CRC-32 in the form of S3's API: big-endian, in base64.
fn from_base64(crc32: &str) -> Option<String> {
    let bytes = STANDARD.decode(crc32).ok()?;
    Some(checksum_text(u32::from_be_bytes(bytes.try_into().ok()?)))
}

fn is_missing<R>(error: &SdkError<HeadObjectError, R>) -> bool {
    error.as_service_error().is_some_and(HeadObjectError::is_not_found)
}
