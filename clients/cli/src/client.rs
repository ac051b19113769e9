//! The API's endpoints. Every request may be repeated without harm, and is repeated while that can help: see [`retry`].
//!
//! No redirect is followed by the HTTP library. [`Client::file`] returns the address of a file, and [`Client::open`] asks there
//! without the key.

mod answer;
pub mod retry;

use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use serde_json::{Value, json};
use ureq::http::{Method, Request, Response, Uri, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use self::retry::{Patience, Trouble};
use crate::address::BaseUrl;
use crate::console::Console;
use crate::credentials::Key;
use crate::error::Error;
use crate::export::{Export, ExportId};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For how long a server may be silent. The gateway gives up a request after 30 s:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const SILENCE_TIMEOUT: Duration = Duration::from_secs(40);

/// Calls the API as one user.
pub struct Client {
    agent: Agent,
    base: BaseUrl,
    key: Key,
    user_id: String,
    console: Console,
}

/// One request.
struct Call<'a> {
    method: Method,
    path: String,
    body: String,
    idempotency_key: Option<&'a str>,
}

/// Where a file is.
pub enum FileSource {
    /// In the answer.
    Inline(Body),
    /// At an address that is valid for minutes. It is a secret, and never printed.
    Bucket(Uri),
}

/// What to ask of a bucket.
#[derive(Debug, Default)]
pub struct Rest {
    /// The first byte.
    pub from: u64,
    /// Only if the object has this `ETag`.
    pub etag: Option<String>,
}

impl Client {
    pub fn new(base: BaseUrl, key: Key, user_id: String, console: Console) -> Self {
        // An error means that there is one already, which is as good.
        let _ = CryptoProvider::install_default(ring::default_provider());
        let mut config = Agent::config_builder()
            .user_agent(concat!("usage-export/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            // A redirect by the library could take the key along, or repeat a POST as a GET.
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_per_read(Some(SILENCE_TIMEOUT))
            .timeout_per_write(Some(SILENCE_TIMEOUT));
        if base.is_plain() {
            config = config.proxy(None);
        }
        Self { agent: config.build().new_agent(), base, key, user_id, console }
    }

    /// Starts an export, and returns the answer. With the same key and body it is the same export.
    pub fn start(&self, mut body: Value, idempotency_key: &str) -> Result<(ExportId, Value), Error> {
        body["user_id"] = self.user_id.as_str().into();
        let call = Call { idempotency_key: Some(idempotency_key), ..Call::post("/export_data", &body) };
        let export = self.send(&call, answer::export)?;
        Ok((export.status.data_export_id, export.document))
    }

    /// Asks how an export stands.
    pub fn status(&self, id: &ExportId) -> Result<Export, Error> {
        self.send(&self.get("/export_status", &[("data_export_id", &id.to_string())]), answer::export)
    }

    /// Cancels an unfinished export. A repetition gets the same answer.
    pub fn cancel(&self, id: &ExportId) -> Result<Export, Error> {
        let body = json!({"user_id": self.user_id, "data_export_id": id.to_string()});
        self.send(&Call::post("/cancel_export", &body), answer::export)
    }

    /// A page of the history.
    pub fn history(&self, mine: bool, cursor: Option<&str>) -> Result<Value, Error> {
        let mut parameters = vec![("mine", if mine { "true" } else { "false" })];
        parameters.extend(cursor.map(|cursor| ("cursor", cursor)));
        self.send(&self.get("/exports", &parameters), answer::json)
    }

    /// Asks for a document of a completed export: `download` is its file, `manifest` what the file holds.
    pub fn file(&self, id: &ExportId, document: &str) -> Result<FileSource, Error> {
        let call = self.get("/export_status", &[("data_export_id", &id.to_string()), (document, "true")]);
        let response = self.send(&call, Ok)?;
        if response.status() == 200 {
            return Ok(FileSource::Inline(response.into_body()));
        }
        let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        let accepted = location.and_then(|location| self.base.accept_redirect(location));
        accepted.map(FileSource::Bucket).ok_or_else(|| Error::unexpected("it redirects to an unsafe address"))
    }

    /// Asks a bucket for the rest of a file, once and without the key: the address itself is the permission.
    pub fn open(&self, address: &Uri, rest: &Rest) -> Result<Response<Body>, Trouble> {
        let mut request = Request::get(address.clone());
        if rest.from > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", rest.from));
            if let Some(etag) = &rest.etag {
                request = request.header(header::IF_MATCH, etag);
            }
        }
        let request =
            request.body(()).map_err(|_| Trouble::lasting(Error::unexpected("it names no address")))?;
        self.agent.run(request).map_err(|error| Trouble::of_connection("The file's server", &error))
    }

    fn get<'a>(&self, path: &str, parameters: &[(&str, &str)]) -> Call<'a> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("user_id", &self.user_id).extend_pairs(parameters);
        let path = format!("{path}?{}", query.finish());
        Call { method: Method::GET, path, body: String::new(), idempotency_key: None }
    }

    /// Sends a request and reads the answer, again if that can help: an answer that breaks off is no answer.
    fn send<T>(
        &self,
        call: &Call<'_>,
        read: impl Fn(Response<Body>) -> Result<T, Trouble>,
    ) -> Result<T, Error> {
        let mut patience = Patience::new();
        loop {
            match self.send_once(call).and_then(&read) {
                Ok(answer) => return Ok(answer),
                Err(trouble) => patience.rest(trouble, self.console)?,
            }
        }
    }

    /// Returns a success or a redirect.
    fn send_once(&self, call: &Call<'_>) -> Result<Response<Body>, Trouble> {
        let url = self.base.join(&call.path);
        let mut request = Request::builder().method(&call.method).uri(url);
        request = request.header(header::AUTHORIZATION, self.key.bearer()).header(header::ACCEPT, "*/*");
        if let Some(key) = call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        let sent = if call.method == Method::POST {
            request = request.header(header::CONTENT_TYPE, "application/json");
            request.body(call.body.as_str()).map(|request| self.agent.run(request))
        } else {
            request.body(()).map(|request| self.agent.run(request))
        };
        match sent {
            Ok(Ok(response)) => answer::checked(response),
            Ok(Err(error)) => Err(Trouble::of_connection("The API", &error)),
            Err(_) => Err(Trouble::lasting(Error::usage(
                "The URL or the idempotency key has characters that HTTP does not take.",
            ))),
        }
    }
}

impl Call<'_> {
    fn post(path: &str, body: &Value) -> Self {
        Self { method: Method::POST, path: path.to_owned(), body: body.to_string(), idempotency_key: None }
    }
}
