//! Answers: pages with the headers that keep them safe, redirects, refusals in the look of the page.

use std::io::Write;
use std::time::{Duration, Instant};

use askama::Template;
use flate2::Compression;
use flate2::write::GzEncoder;
use lambda_http::http::header::{self, AsHeaderName, HeaderName};
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode};
use lambda_http::{Body, Response};
use usage_export::error::AwsError;
use usage_export::problem::{Problem, RequestError};

use crate::assets;
use crate::route::PAGE;

/// Nothing but our own files: no inline script or style, no other host, no frame around us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Answers that are shorter than this are not worth compressing.
const GZIP_FROM_BYTES: usize = 1400;

/// What every page has around it.
pub struct Frame {
    /// The script's name.
    pub script: &'static str,
    /// The style sheet's name.
    pub style_sheet: &'static str,
    /// Where the page is.
    pub page: &'static str,
    /// Who is signed in, if anybody is.
    pub signed_in: Option<SignedIn>,
}

/// What the page's head says of its user.
pub struct SignedIn {
    /// Their email address.
    pub email: String,
    /// The name of their organization.
    pub organization: String,
}

impl Frame {
    /// The frame of a page for this user.
    pub fn new(signed_in: Option<SignedIn>) -> Self {
        Self { script: assets::SCRIPT.name, style_sheet: assets::STYLE_SHEET.name, page: PAGE, signed_in }
    }
}

/// A refusal as a page.
#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    status: u16,
    title: &'a str,
    detail: &'a str,
    request_id: &'a str,
}

/// How long a template took to fill in: goes along with the answer.
#[derive(Clone, Copy, Default)]
struct RenderTime(Duration);

/// A filled template as an answer.
pub fn html(status: StatusCode, template: &impl Template) -> Result<Response<Body>, RequestError> {
    let began = Instant::now();
    let text = template.render().map_err(|error| AwsError::internal("template", &error))?;
    let mut response = Response::new(Body::Text(text));
    *response.status_mut() = status;
    insert(response.headers_mut(), header::CONTENT_TYPE, "text/html; charset=utf-8");
    response.extensions_mut().insert(RenderTime(began.elapsed()));
    Ok(response)
}

/// Sends the browser to a place of ours with GET.
pub fn see_other(location: &str) -> Result<Response<Body>, RequestError> {
    redirect(StatusCode::SEE_OTHER, location)
}

/// Sends the browser to another place.
pub fn redirect(status: StatusCode, location: &str) -> Result<Response<Body>, RequestError> {
    let location = HeaderValue::try_from(location).map_err(|error| AwsError::internal("location", &error))?;
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// What the user is told of a refusal or a failure: a page, or a line where only a part of the page was asked for.
pub fn error(error: RequestError, request_id: &str, fragment: bool) -> Response<Body> {
    let problem = error.into_problem(request_id);
    let title = match problem.status {
        StatusCode::FORBIDDEN => "You can’t do this",
        StatusCode::NOT_FOUND => "Nothing here",
        StatusCode::METHOD_NOT_ALLOWED => "That doesn’t work here",
        status if status.is_server_error() => "Something went wrong",
        _ => "That didn’t work",
    };
    let page = ErrorPage {
        frame: Frame::new(None),
        status: problem.status.as_u16(),
        title,
        detail: &problem.detail,
        request_id,
    };
    if fragment {
        return plain(&problem);
    }
    html(problem.status, &page).unwrap_or_else(|_| plain(&problem))
}

fn plain(problem: &Problem) -> Response<Body> {
    let mut response = Response::new(Body::Text(problem.detail.clone()));
    *response.status_mut() = problem.status;
    insert(response.headers_mut(), header::CONTENT_TYPE, "text/plain; charset=utf-8");
    response
}

/// Adds what every answer but an asset has, and compresses it for a browser that can take it.
pub fn finish(mut response: Response<Body>, request_headers: &HeaderMap, secure: bool) -> Response<Body> {
    let headers = response.headers_mut();
    insert(headers, header::CACHE_CONTROL, "no-store");
    insert(headers, header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    insert(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // With `no-referrer` browsers would hide the origin of our own POSTs from us.
    insert(headers, header::REFERRER_POLICY, "same-origin");
    insert(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if secure {
        insert(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if accepts_gzip(request_headers)
        && let Body::Text(text) = response.body()
        && text.len() >= GZIP_FROM_BYTES
        && let Ok(compressed) = gzip(text.as_bytes())
    {
        insert(response.headers_mut(), header::CONTENT_ENCODING, "gzip");
        *response.body_mut() = Body::Binary(compressed);
    }
    response
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Whether the browser takes gzip.
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    text(headers, header::ACCEPT_ENCODING)
        .is_some_and(|accepted| accepted.split(',').any(|coding| coding.trim().eq_ignore_ascii_case("gzip")))
}

/// A header's value, if it is text.
pub fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Sets a header.
pub fn insert(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

/// Tells how many milliseconds the answer took, for the network panel of a browser: rendering, and all of it.
/// <https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Server-Timing>
pub fn insert_timing(response: &mut Response<Body>, total: Duration) {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let RenderTime(render) = response.extensions().get().copied().unwrap_or_default();
    let timing = format!("render;dur={:.2}, total;dur={:.2}", ms(render), ms(total));
    response.headers_mut().extend(HeaderValue::try_from(timing).ok().map(|value| (SERVER_TIMING, value)));
}
