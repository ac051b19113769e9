//! From an answer of the API to a document, or to what was refused and why.

use std::io::Read as _;

use serde::Deserialize;
use serde_json::Value;
use ureq::Body;
use ureq::http::{Response, StatusCode, header};

use super::retry::Trouble;
use crate::error::{Error, Kind};
use crate::export::Export;
use crate::text::Text;

/// No document of the API but a file is larger.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// A refusal by RFC 9457. The gateway before the API has `message` alone.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    detail: Option<Text>,
    message: Option<Text>,
    request_id: Option<Text>,
}

/// The answer, if it is a success or the redirect to a file.
///
/// # Errors
///
/// It is a refusal, or one of something else than this API.
pub fn checked(response: Response<Body>) -> Result<Response<Body>, Trouble> {
    let status = response.status();
    if status == StatusCode::OK || status == StatusCode::FOUND {
        return Ok(response);
    }
    let may_help = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
    let retry_after = header_of(&response, &header::RETRY_AFTER).and_then(|text| text.trim().parse().ok());
    let error = refusal(status, response.into_body());
    Err(if may_help { Trouble::passing(error, retry_after) } else { Trouble::lasting(error) })
}

fn refusal(status: StatusCode, body: Body) -> Error {
    let problem: Problem =
        read_small(body).ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    let said = problem.detail.or(problem.message).map(|text| text.to_string());
    let reason = said.unwrap_or_else(|| "The answer is not one of this API: check the URL.".to_owned());
    let request = problem.request_id.map(|id| format!(", request {id}")).unwrap_or_default();
    Error::new(Kind::of_status(status.as_u16()), format!("{reason} (HTTP {}{request})", status.as_u16()))
}

/// The document of a success.
///
/// # Errors
///
/// There is none, or it breaks off.
pub fn json(response: Response<Body>) -> Result<Value, Trouble> {
    if response.status() != StatusCode::OK {
        return Err(Trouble::lasting(Error::unexpected("it is a redirect")));
    }
    let body = read_small(response.into_body())?;
    serde_json::from_slice(&body).map_err(|_| Trouble::lasting(Error::unexpected("it is not JSON")))
}

/// The export of a success.
///
/// # Errors
///
/// As those of [`json`].
pub fn export(response: Response<Body>) -> Result<Export, Trouble> {
    let date = header_of(&response, &header::DATE).map(str::to_owned);
    Export::read(json(response)?, date.as_deref()).map_err(Trouble::lasting)
}

/// Reads a body into memory that is no file.
///
/// # Errors
///
/// The connection breaks, or the body is not small.
pub fn read_small(body: Body) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    let read = body.into_reader().take(MAX_BYTES + 1).read_to_end(&mut bytes);
    if let Err(error) = read {
        let error = Error::new(
            Kind::Unavailable,
            format!("The answer broke off: {}.", Text::from(error.to_string())),
        );
        return Err(Trouble::passing(error, None));
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Trouble::lasting(Error::unexpected("it is too large")));
    }
    Ok(bytes)
}

fn header_of<'a>(response: &'a Response<Body>, name: &header::HeaderName) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}
