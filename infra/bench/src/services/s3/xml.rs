//! The documents that S3 sends and takes.

use anyhow::Result;
use hyper::{Response, StatusCode};

use super::object::Object;
use crate::services::answer::{Answer, whole};

/// An answer with a document whose root has this name.
///
/// # Errors
///
/// Never: its headers are right.
pub fn document(status: StatusCode, root: &str, content: &str) -> Result<Answer> {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>{content}</{root}>");
    Ok(Response::builder().status(status).header("content-type", "application/xml").body(whole(text))?)
}

/// The elements that tell an object or a part: `ETag` and CRC-32.
pub fn tags(object: &Object) -> String {
    let etag = object.etag().replace('"', "&quot;");
    format!("<ETag>{etag}</ETag><ChecksumCRC32>{}</ChecksumCRC32>", object.checksum())
}

/// The texts between the tags of this name, in order.
pub fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, behind) = rest.split_once(&open)?;
        let (text, behind) = behind.split_once(&close)?;
        rest = behind;
        Some(text)
    })
}
