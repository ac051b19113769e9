//! Bodies in the encoding `aws-chunked`.

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};

/// Decodes an aws-chunked body. Returns the bytes of its chunks, and the checksum in its trailer if it has one.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>
///
/// # Errors
///
/// Fails if the body is cut off or no such body.
pub fn decode(mut body: &[u8]) -> Result<(Bytes, Option<String>)> {
    let mut plain = BytesMut::new();
    loop {
        let line = take_line(&mut body).context("a chunk has no length")?;
        let length = line.split(';').next().unwrap_or("");
        let length =
            usize::from_str_radix(length, 16).with_context(|| format!("{length:?} is not a length"))?;
        if length == 0 {
            break;
        }
        plain.extend_from_slice(body.get(..length).context("a chunk is cut off")?);
        body = body.get(length + 2..).context("a chunk is cut off")?;
    }
    let mut checksum = None;
    while let Some(line) = take_line(&mut body) {
        if let Some(value) = line.strip_prefix("x-amz-checksum-crc32:") {
            checksum = Some(value.trim().to_owned());
        }
    }
    Ok((plain.freeze(), checksum))
}

/// Takes the bytes up to the next line break off the body.
fn take_line(body: &mut &[u8]) -> Option<String> {
    let end = body.windows(2).position(|pair| pair == b"\r\n")?;
    let line = String::from_utf8_lossy(&body[..end]).into_owned();
    *body = &body[end + 2..];
    Some(line)
}
