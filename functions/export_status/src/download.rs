//! The file of a completed export: inside the answer while it fits, a redirect to S3 otherwise.

use std::time::Duration;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::presigning::PresigningConfig;
use chrono::{DateTime, Utc};
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use usage_export::dynamo::StoreError;
use usage_export::export::DataExport;
use usage_export::problem::{Problem, RequestError};

use crate::Context;

/// The largest file inside an answer, in bytes. Lambda's answers end at 6 MB, and the file grows by a third in base64.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const INLINE_BYTES: u64 = 4 * 1024 * 1024;

/// How long a presigned URL lives: the time to follow a redirect. It is signed at the click, never kept or mailed.
const URL_LIFE: Duration = Duration::from_mins(5);

/// Answers with the file of a completed export.
///
/// # Errors
///
/// 404 once the file has expired, by its date or because S3 no longer has it.
pub async fn answer(
    context: &Context,
    export: &DataExport,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    if export.is_expired(now) {
        return Err(expired().into());
    }
    if export.size_bytes.is_some_and(|size| size <= INLINE_BYTES) {
        inline(context, export).await
    } else {
        redirect(context, export).await
    }
}

async fn inline(context: &Context, export: &DataExport) -> Result<Response<Body>, RequestError> {
    let sent = context.s3.get_object().bucket(&context.bucket).key(export.object_key()).send().await;
    let object = match sent {
        Ok(object) => object,
        Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
            return Err(expired().into());
        }
        Err(error) => return Err(StoreError::aws("s3:GetObject")(error).into()),
    };
    let file = object.body.collect().await.map_err(|error| StoreError::corrupt("S3 object", error))?.to_vec();
    if export.size_bytes != u64::try_from(file.len()).ok() {
        // The object is not the one that the worker counted: better no file than a short one.
        let reason = format!("{} bytes instead of {:?}", file.len(), export.size_bytes);
        return Err(StoreError::corrupt(format!("file of {}", export.data_export_id), reason).into());
    }
    // Binary, so that it travels as base64: its size is then known, whatever the text is made of.
    let mut response = Response::new(Body::Binary(file));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(disposition) = HeaderValue::try_from(disposition(export)) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

async fn redirect(context: &Context, export: &DataExport) -> Result<Response<Body>, RequestError> {
    let key = export.object_key();
    // A presigned URL of a missing file would show the caller S3's XML.
    match context.s3.head_object().bucket(&context.bucket).key(&key).send().await {
        Ok(_) => {}
        Err(error) if is_missing(&error) => return Err(expired().into()),
        Err(error) => return Err(StoreError::aws("s3:HeadObject")(error).into()),
    }
    let config =
        PresigningConfig::expires_in(URL_LIFE).map_err(|error| StoreError::corrupt("presigning", error))?;
    let presigned = context
        .s3
        .get_object()
        .bucket(&context.bucket)
        .key(key)
        .response_content_type("text/csv; charset=utf-8")
        .response_content_disposition(disposition(export))
        .presigned(config)
        .await
        .map_err(StoreError::aws("s3:GetObject (presign)"))?;
    let location = HeaderValue::try_from(presigned.uri())
        .map_err(|error| StoreError::corrupt("presigned URL", error))?;
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn is_missing<R>(error: &SdkError<HeadObjectError, R>) -> bool {
    error.as_service_error().is_some_and(HeadObjectError::is_not_found)
}

fn disposition(export: &DataExport) -> String {
    format!("attachment; filename=\"{}\"", export.file_name())
}

fn expired() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "The file of this export has expired. Start a new export for the same dates.",
    )
}
