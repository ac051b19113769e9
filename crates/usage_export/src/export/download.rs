//! The file of a completed export for its owner: its bytes, or a URL to S3 that is valid for minutes.

use std::time::Duration;

use aws_sdk_s3::Client as S3;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::presigning::PresigningConfig;
use chrono::{DateTime, Utc};
use http::StatusCode;

use super::DataExport;
use crate::error::AwsError;
use crate::problem::{Problem, RequestError};

/// How long a presigned URL is valid: enough to follow a redirect. It is signed at the click, and never stored or mailed.
const URL_LIFE: Duration = Duration::from_mins(5);

/// The media type of the file.
pub const CONTENT_TYPE: &str = "text/csv; charset=utf-8";

/// Reads files of exports from their S3 bucket.
#[derive(Debug, Clone)]
pub struct ExportFiles {
    /// Signs URLs and reads files. Its credentials may read the bucket.
    pub s3: S3,
    /// The name of the bucket.
    pub bucket: String,
}

impl ExportFiles {
    /// Reads the whole file into memory. Ask for small files only, by [`DataExport::size_bytes`].
    ///
    /// # Errors
    ///
    /// 404 once the file has expired, by its date or because S3 has deleted it. An internal error if S3 cannot be read, or
    /// if the file has another size than the worker counted: no file is better than a part of one.
    pub async fn read(&self, export: &DataExport, now: DateTime<Utc>) -> Result<Vec<u8>, RequestError> {
        refuse_expired(export, now)?;
        let sent = self.s3.get_object().bucket(&self.bucket).key(export.object_key()).send().await;
        let object = match sent {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Err(expired().into());
            }
            Err(error) => return Err(AwsError::from_sdk("s3:GetObject")(error).into()),
        };
        let file = object
            .body
            .collect()
            .await
            .map_err(|error| AwsError::broken_answer("s3:GetObject", &error))?
            .to_vec();
        if export.size_bytes != u64::try_from(file.len()).ok() {
            let reason = format!("{} bytes instead of {:?}", file.len(), export.size_bytes);
            return Err(AwsError::corrupt(format!("file of {}", export.data_export_id), reason).into());
        }
        Ok(file)
    }

    /// Signs a URL that downloads the file for five minutes, for a caller who has just been authorized.
    ///
    /// # Errors
    ///
    /// 404 once the file has expired, because its URL would show the caller an error of S3 in XML. An internal error if S3
    /// cannot be asked.
    pub async fn presign(&self, export: &DataExport, now: DateTime<Utc>) -> Result<String, RequestError> {
        refuse_expired(export, now)?;
        let key = export.object_key();
        match self.s3.head_object().bucket(&self.bucket).key(&key).send().await {
            Ok(_) => {}
            Err(error) if is_missing(&error) => return Err(expired().into()),
            Err(error) => return Err(AwsError::from_sdk("s3:HeadObject")(error).into()),
        }
        let config = PresigningConfig::expires_in(URL_LIFE)
            .map_err(|error| AwsError::internal("presigning", &error))?;
        let presigned = self
            .s3
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .response_content_type(CONTENT_TYPE)
            .response_content_disposition(content_disposition(export))
            .presigned(config)
            .await
            .map_err(AwsError::from_sdk("s3:GetObject (presign)"))?;
        Ok(presigned.uri().to_owned())
    }
}

/// The `Content-Disposition` that makes a browser save the file, and under which name.
pub fn content_disposition(export: &DataExport) -> String {
    format!("attachment; filename=\"{}\"", export.file_name())
}

fn is_missing<R>(error: &SdkError<HeadObjectError, R>) -> bool {
    error.as_service_error().is_some_and(HeadObjectError::is_not_found)
}

fn refuse_expired(export: &DataExport, now: DateTime<Utc>) -> Result<(), Problem> {
    if export.is_expired(now) { Err(expired()) } else { Ok(()) }
}

fn expired() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "The file of this export has expired. Start a new export for the same dates.",
    )
}
