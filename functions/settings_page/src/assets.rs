//! The page's script and style sheet. Their names have a hash of their content, so browsers keep them for good.

use lambda_http::http::{HeaderMap, HeaderValue, header};
use lambda_http::{Body, Response};

use crate::respond::{accepts_gzip, insert};

/// A file that is compiled in.
pub struct Asset {
    /// Its name, with a hash of its content.
    pub name: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/bundles.rs"));

/// The file of this name; `None` for any other, such as one of an older version.
pub fn answer(name: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    let (asset, content_type) = match name {
        _ if name == SCRIPT.name => (SCRIPT, "text/javascript; charset=utf-8"),
        _ if name == STYLE_SHEET.name => (STYLE_SHEET, "text/css; charset=utf-8"),
        _ => return None,
    };
    let compressed = accepts_gzip(headers);
    let body = if compressed { asset.gzip } else { asset.plain };
    let mut response = Response::new(Body::Binary(body.to_vec()));
    let headers = response.headers_mut();
    insert(headers, header::CONTENT_TYPE, content_type);
    insert(headers, header::CACHE_CONTROL, "public, max-age=31536000, immutable");
    insert(headers, header::VARY, "accept-encoding");
    insert(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if compressed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(response)
}
