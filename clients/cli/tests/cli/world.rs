//! An API with one export, and a bucket with its file.

use serde_json::{Value, json};

use crate::server::{Reply, Request, Server};

/// A completed export.
#[derive(Clone)]
pub struct Export {
    pub id: String,
    pub file: Vec<u8>,
}

/// Whether the API answers with the file itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Inline,
    Bucket,
}

/// In every address that the API signs.
pub const SIGNATURE: &str = "X-Amz-Signature=5ec2e7";

impl Export {
    /// One with random bytes.
    pub fn new(bytes: usize) -> Self {
        let id = format!("0194c7a8-0000-7000-8000-{:012x}", fastrand::u64(..1 << 48));
        Self { id, file: std::iter::repeat_with(|| fastrand::u8(..)).take(bytes).collect() }
    }

    pub fn status(&self) -> Value {
        json!({
            "data_export_id": self.id,
            "state": "COMPLETED",
            "created_ts": "2025-02-01T08:00:00.000Z",
            "finished_ts": "2025-02-01T08:00:09.000Z",
            "progress": 100,
            "row_count": 1234,
            "start_ts": "2025-01-01T00:00:00.000Z",
            "end_ts": "2025-01-31T23:59:59.999Z",
            "size_bytes": self.file.len(),
            "checksum": format!("crc32:{:08x}", crc32fast::hash(&self.file)),
        })
    }

    pub fn etag(&self) -> String {
        format!("\"{:08x}-1\"", crc32fast::hash(&self.file))
    }

    /// What S3 answers.
    pub fn object(&self, request: &Request) -> Reply {
        let size = self.file.len();
        if request.header("if-match").is_some_and(|etag| etag != self.etag()) {
            return Reply::new(412, "<Error/>");
        }
        let from = request.header("range").map(|range| {
            range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse::<usize>().unwrap()
        });
        let reply = match from {
            None => Reply::new(200, self.file.clone()),
            Some(from) if from >= size => return Reply::new(416, "<Error/>"),
            Some(from) => Reply::new(206, &self.file[from..])
                .with("content-range", format!("bytes {from}-{}/{size}", size - 1)),
        };
        reply.with("etag", self.etag()).with("content-type", "text/csv; charset=utf-8")
    }

    /// The API's answer to a download: the file or an address.
    pub fn answer(&self, request: &Request, url: &str, place: Place) -> Reply {
        match (request.target.contains("download=true"), place) {
            (false, _) => json_reply(&self.status()),
            (true, Place::Inline) => {
                Reply::new(200, self.file.clone()).with("content-type", "text/csv; charset=utf-8")
            }
            (true, Place::Bucket) => {
                Reply::new(302, "").with("location", format!("{url}/bucket?{SIGNATURE}"))
            }
        }
    }

    /// A server with the file inside the answer.
    pub fn serve_inline(&self) -> Server {
        let export = self.clone();
        Server::start(move |request, url| export.answer(request, url, Place::Inline))
    }

    /// A server whose bucket answers as `bucket` says, which gets the number of requests that the bucket had before.
    pub fn serve(&self, mut bucket: impl FnMut(&Self, &Request, usize) -> Reply + Send + 'static) -> Server {
        let (export, mut count) = (self.clone(), 0);
        Server::start(move |request, url| {
            if !request.is_for("/bucket") {
                return export.answer(request, url, Place::Bucket);
            }
            count += 1;
            bucket(&export, request, count - 1)
        })
    }
}

pub fn json_reply(document: &Value) -> Reply {
    Reply::new(200, document.to_string()).with("content-type", "application/json")
}

/// A refusal.
pub fn problem(status: u16, detail: &str) -> Reply {
    let document = json!({"type": "about:blank", "title": "-", "status": status, "detail": detail, "request_id": "req-7"});
    Reply::new(status, document.to_string()).with("content-type", "application/problem+json")
}
