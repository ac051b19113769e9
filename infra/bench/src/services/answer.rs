//! What the services answer with.

use bytes::Buf as _;
use bytes::Bytes;
use bytes::buf::Chain;
use http_body_util::Full;
use hyper::Response;

/// The bytes of an answer: three pieces, so that the items of a page are not copied.
pub type Payload = Chain<Bytes, Chain<Bytes, Bytes>>;

/// What the services answer with.
pub type Answer = Response<Full<Payload>>;

/// A body of three pieces.
pub fn pieces(begin: Bytes, middle: Bytes, end: Bytes) -> Full<Payload> {
    Full::new(begin.chain(middle.chain(end)))
}

/// A body of one piece.
pub fn whole(body: impl Into<Bytes>) -> Full<Payload> {
    pieces(body.into(), Bytes::new(), Bytes::new())
}
