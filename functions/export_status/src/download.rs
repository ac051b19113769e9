//! A document of a completed export, its file or its manifest: inside the answer if it is small enough, a redirect to S3 otherwise.

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use usage_export::error::AwsError;
use usage_export::export::document::Document;
use usage_export::export::download::ExportFiles;
use usage_export::problem::RequestError;

/// Answers with a document of a completed export.
///
/// # Errors
///
/// 404 once S3 has deleted it. An internal error if S3 cannot be read.
pub async fn answer(files: &ExportFiles, document: &Document) -> Result<Response<Body>, RequestError> {
    if document.bytes.is_some_and(|size| size <= Document::MAX_INLINE_BYTES) {
        Ok(inline(document, files.read(document).await?))
    } else {
        redirect(&files.presign(document).await?)
    }
}

fn inline(document: &Document, bytes: Vec<u8>) -> Response<Body> {
    // Binary goes as base64, a third larger whatever it holds; as a text, JSON would escape quotes and line ends.
    let mut response = Response::new(Body::Binary(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(document.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(disposition) = HeaderValue::try_from(document.content_disposition()) {
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
