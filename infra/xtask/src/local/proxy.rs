//! Serves the API at a plain origin: every request is forwarded to the emulator's HTTP API, and the answer comes back
//! unchanged.
//!
//! The emulator serves an API below a path of its own. At a plain origin, links, cookies and root-relative paths behave
//! as on AWS.

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::{Context, Result};
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, HeaderMap, HeaderName, TRANSFER_ENCODING, UPGRADE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Headers that describe one connection and are not forwarded to the next:
/// <https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1>.
const HOP_BY_HOP: [HeaderName; 4] =
    [CONNECTION, TRANSFER_ENCODING, UPGRADE, HeaderName::from_static("keep-alive")];

type Body = Either<Incoming, Full<Bytes>>;

/// Forwards until it is dropped.
pub struct Proxy {
    task: JoinHandle<()>,
}

impl Proxy {
    /// Forwards everything that arrives at the listener to this API of the emulator.
    pub fn start(listener: TcpListener, endpoint_url: &str, api_id: &str) -> Self {
        let upstream = Arc::new(Upstream {
            // A connection for each request: one that is kept alive may be closed just when it is used again.
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(),
            base: format!("{endpoint_url}/_aws/execute-api/{api_id}/$default"),
        });
        Self { task: tokio::spawn(accept(listener, upstream)) }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens at this port, or at a free one where something else listens.
///
/// # Errors
///
/// Fails if no port is free.
pub async fn listen(wanted: u16) -> Result<TcpListener> {
    match TcpListener::bind(("127.0.0.1", wanted)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind("127.0.0.1:0").await.context("no free port on 127.0.0.1"),
    }
}

struct Upstream {
    client: Client<HttpConnector, Incoming>,
    base: String,
}

async fn accept(listener: TcpListener, upstream: Arc<Upstream>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let upstream = Arc::clone(&upstream);
        let service = service_fn(move |request| answer(Arc::clone(&upstream), request));
        // An error of the connection is for the client to handle.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(upstream: Arc<Upstream>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let response = forward(&upstream, request).await.unwrap_or_else(|error| {
        let text = format!("The emulator does not answer: {error:#}\n");
        let mut response = Response::new(Either::Right(Full::from(text)));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    });
    Ok(response)
}

async fn forward(upstream: &Upstream, mut request: Request<Incoming>) -> Result<Response<Body>> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = Uri::try_from(format!("{}{path}", upstream.base))?;
    remove_hop_by_hop(request.headers_mut());
    let mut response = upstream.client.request(request).await?;
    remove_hop_by_hop(response.headers_mut());
    Ok(response.map(Either::Left))
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    const ANSWER: &str = "HTTP/1.1 302 Found\r\nlocation: http://elsewhere.example/a?b=c\r\n\
        set-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 4\r\n\r\nbody";

    /// Takes one request, answers it with `ANSWER` and returns the request.
    async fn one_request(listener: TcpListener) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut got = vec![0; 4096];
        let mut length = 0;
        while !got[..length].ends_with(b"question") {
            length += stream.read(&mut got[length..]).await.unwrap();
        }
        stream.write_all(ANSWER.as_bytes()).await.unwrap();
        String::from_utf8(got[..length].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn requests_and_answers_are_forwarded_unchanged() {
        let emulator = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint_url = format!("http://{}", emulator.local_addr().unwrap());
        let got = tokio::spawn(one_request(emulator));
        let listener = listen(0).await.unwrap();
        let address = listener.local_addr().unwrap();
        let _proxy = Proxy::start(listener, &endpoint_url, "api1");

        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = "POST /a%2Fb//c?d=%20e&d=f HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nconnection: close\r\n\
            authorization: Bearer x\r\ncontent-length: 8\r\n\r\nquestion";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(Duration::from_secs(5), stream.read_to_string(&mut answer))
            .await
            .unwrap()
            .unwrap();

        let got = got.await.unwrap();
        assert!(
            got.starts_with("POST /_aws/execute-api/api1/$default/a%2Fb//c?d=%20e&d=f HTTP/1.1\r\n"),
            "{got}"
        );
        assert!(got.contains("\r\nhost: 127.0.0.1:8080\r\n"), "{got}");
        assert!(got.contains("\r\nauthorization: Bearer x\r\n"), "{got}");
        assert!(answer.starts_with("HTTP/1.1 302 Found\r\n"), "{answer}");
        assert!(answer.contains("\r\nlocation: http://elsewhere.example/a?b=c\r\n"), "{answer}");
        assert!(answer.contains("set-cookie: a=1\r\nset-cookie: b=2\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nbody"), "{answer}");
    }
}
