//! The file of a completed export: inside the answer if it is small enough, a redirect to S3 otherwise.

use chrono::{DateTime, Utc};
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use usage_export::error::AwsError;
use usage_export::export::DataExport;
use usage_export::export::download::{CONTENT_TYPE, ExportFiles, content_disposition};
use usage_export::problem::RequestError;

/// The largest file inside an answer, in bytes. An answer of Lambda has at most 6 MB, and base64 makes the file a third
/// larger.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_INLINE_BYTES: u64 = 4 * 1024 * 1024;

/// Answers with the file of a completed export.
///
/// # Errors
///
/// 404 once the file has expired, by its date or because S3 has deleted it. An internal error if S3 cannot be read.
pub async fn answer(
    files: &ExportFiles,
    export: &DataExport,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    if export.size_bytes.is_some_and(|size| size <= MAX_INLINE_BYTES) {
        Ok(inline(export, files.read(export, now).await?))
    } else {
        redirect(&files.presign(export, now).await?)
    }
}

fn inline(export: &DataExport, file: Vec<u8>) -> Response<Body> {
    // Binary goes as base64, a third larger whatever the file holds; as a text, JSON would escape quotes and line ends.
    let mut response = Response::new(Body::Binary(file));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(disposition) = HeaderValue::try_from(content_disposition(export)) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

fn redirect(url: &str) -> Result<Response<Body>, RequestError> {
    let location = HeaderValue::try_from(url).map_err(|error| AwsError::internal("presigned URL", &error))?;
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
