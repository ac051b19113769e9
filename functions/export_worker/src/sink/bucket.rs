//! The bucket of the files.

use std::ops::Range;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedPart};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::Semaphore;
use usage_export::error::AwsError;

use crate::sink::part::{Part, base64_crc32};
use crate::sink::request_count::RequestCount;

mod deletion;
mod stored_file;

pub use stored_file::StoredFile;

/// The bucket that the files are written to.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// The client of S3 that every call goes through.
    pub client: Client,
    /// The name of the bucket in S3.
    pub name: String,
    /// Counts what the client sends.
    pub requests: RequestCount,
    /// Parts that may be on their way at the same time: all lanes together would have too many in memory.
    pub parts: Arc<Semaphore>,
}

/// How many parts are on their way at the same time. Two keep the network of a function busy.
const MAX_PARTS_IN_FLIGHT: usize = 2;

/// How many more there may be while no lane reads: each lane has as much in memory.
const MORE_PARTS: usize = 4;

/// Lets more parts be on their way, until it is dropped.
#[derive(Debug)]
pub struct MoreParts(Arc<Semaphore>);

impl Drop for MoreParts {
    fn drop(&mut self) {
        // Nothing is on its way any more, or it was given up.
        self.0.forget_permits(MORE_PARTS);
    }
}

impl Bucket {
    /// The bucket of that name, by a client with this configuration.
    pub fn new(config: &SdkConfig, name: String) -> Self {
        let requests = RequestCount::default();
        let config = aws_sdk_s3::config::Builder::from(config).interceptor(requests.clone());
        let parts = Arc::new(Semaphore::new(MAX_PARTS_IN_FLIGHT));
        Self { client: Client::from_conf(config.build()), name, requests, parts }
    }

    /// Lets more parts be on their way. No lane may read meanwhile.
    pub fn more_parts(&self) -> MoreParts {
        self.parts.add_permits(MORE_PARTS);
        MoreParts(Arc::clone(&self.parts))
    }

    /// Starts a multipart upload of a CSV file and returns its upload id.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn create_upload(&self, key: &str) -> Result<String, AwsError> {
        let output = self
            .client
            .create_multipart_upload()
            .bucket(&self.name)
            .key(key)
            .content_type("text/csv; charset=utf-8")
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .checksum_type(ChecksumType::FullObject)
            .send()
            .await
            .map_err(AwsError::from_sdk("s3:CreateMultipartUpload"))?;
        output.upload_id.ok_or_else(|| AwsError::unexpected(key, "S3 gave no upload id"))
    }

    /// Sends a part of an upload, and says what completes the upload with it. Nothing is sent before the result is polled.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub fn upload_part(
        &self,
        key: &str,
        upload_id: &str,
        number: u32,
        part: &Part,
    ) -> impl Future<Output = Result<CompletedPart, AwsError>> + Send + use<> {
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let crc32 = base64_crc32(part.crc32().clone().finalize());
        let request = self
            .client
            .upload_part()
            .bucket(&self.name)
            .key(key)
            .upload_id(upload_id)
            .part_number(number)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .checksum_crc32(&crc32)
            .body(part.clone().into())
            .customize()
            // The SHA-256 of the signature would cost more CPU than writing the rows; S3 compares the CRC-32.
            .disable_payload_signing();
        async move {
            let sent = request.send().await.map_err(AwsError::from_sdk("s3:UploadPart"))?;
            let arrived = CompletedPart::builder().part_number(number).checksum_crc32(crc32);
            Ok(arrived.set_e_tag(sent.e_tag).build())
        }
    }

    /// The request that puts an object. It is sent without a SHA-256 of the payload, as a part is.
    pub fn put_object(&self, key: &str, content_type: &str, body: Part) -> PutObjectFluentBuilder {
        self.client
            .put_object()
            .bucket(&self.name)
            .key(key)
            .content_type(content_type)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .checksum_crc32(base64_crc32(body.crc32().clone().finalize()))
            .body(body.into())
    }

    /// Makes bytes `range` of the object `source` a part of an upload, within S3.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn copy_part(
        &self,
        key: &str,
        upload_id: &str,
        number: u32,
        source: &str,
        range: Range<u64>,
    ) -> Result<(), AwsError> {
        let source: Vec<_> = source
            .split('/')
            .map(|segment| utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string())
            .collect();
        let copied = self
            .client
            .upload_part_copy()
            .bucket(&self.name)
            .key(key)
            .upload_id(upload_id)
            .part_number(i32::try_from(number).unwrap_or(i32::MAX))
            .copy_source(format!("{}/{}", self.name, source.join("/")))
            .copy_source_range(format!("bytes={}-{}", range.start, range.end - 1))
            .send()
            .await;
        copied.map_err(AwsError::from_sdk("s3:UploadPartCopy"))?;
        Ok(())
    }

    /// Reads bytes `range` of an object to the end of a part, as they come: a copy of all of them would need as much memory again.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached, or has fewer bytes.
    pub async fn read_to(&self, part: &mut Part, key: &str, range: Range<u64>) -> Result<(), AwsError> {
        let get = self.client.get_object().bucket(&self.name).key(key);
        let sent = get.range(format!("bytes={}-{}", range.start, range.end - 1)).send().await;
        let mut body = sent.map_err(AwsError::from_sdk("s3:GetObject"))?.body;
        let before = part.len() as u64;
        while let Some(bytes) = body.next().await {
            part.push(bytes.map_err(|error| AwsError::broken_answer("s3:GetObject", &error))?);
        }
        if part.len() as u64 - before != range.end - range.start {
            return Err(AwsError::unexpected(key, "the object has fewer bytes"));
        }
        Ok(())
    }

    /// The multipart uploads below this prefix that are neither completed nor aborted: key and upload id.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn open_uploads(&self, prefix: &str) -> Result<Vec<(String, String)>, AwsError> {
        let listed = self
            .client
            .list_multipart_uploads()
            .bucket(&self.name)
            .prefix(prefix)
            .send()
            .await
            .map_err(AwsError::from_sdk("s3:ListMultipartUploads"))?;
        let of_export = |key: &str| key.starts_with(prefix);
        let uploads = listed.uploads.unwrap_or_default().into_iter();
        Ok(uploads
            .filter_map(|upload| Some((upload.key.filter(|key| of_export(key))?, upload.upload_id?)))
            .collect())
    }

    /// Aborts an upload, so that its parts cost nothing. An upload that is gone is no error.
    ///
    /// # Errors
    ///
    /// S3 refuses or cannot be reached.
    pub async fn abort_upload(&self, key: &str, upload_id: &str) -> Result<(), AwsError> {
        let aborted = self
            .client
            .abort_multipart_upload()
            .bucket(&self.name)
            .key(key)
            .upload_id(upload_id)
            .send()
            .await;
        match aborted {
            Err(error) if error.code() != Some("NoSuchUpload") => {
                Err(AwsError::from_sdk("s3:AbortMultipartUpload")(error))
            }
            _ => Ok(()),
        }
    }
}
