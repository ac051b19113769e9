//! Requests to the API, and their answers.

use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use serde_json::Value;

use crate::org::Caller;
use crate::system::system;

/// The two prefixes under which every endpoint is served.
pub const ROOTS: [&str; 2] = ["", "/api/v1"];

/// An answer that has arrived completely.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A request that has not been sent yet.
#[derive(Clone)]
pub struct Call {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Call {
    pub fn get(path: &str, parameters: &[(&str, &str)]) -> Self {
        let mut url = Url::parse(&format!("{}{path}", system().outputs.api_url)).unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        Self { method: Method::GET, url, headers: Vec::new(), body: Vec::new() }
    }

    pub fn post(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::post_as(path, body, "application/json")
    }

    pub fn post_as(path: &str, body: impl Into<Vec<u8>>, content_type: &str) -> Self {
        let url = Url::parse(&format!("{}{path}", system().outputs.api_url)).unwrap();
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { method: Method::POST, url, headers, body: body.into() }
    }

    /// `POST /export_data` with the caller's key. The body gets the caller's `user_id` unless it has one.
    pub fn export(caller: &Caller, body: &Value) -> Self {
        Self::post("/export_data", as_caller(caller, body).to_string()).with_key(&caller.key)
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn with_key(self, key: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {key}"))
    }

    #[must_use]
    pub fn with_idempotency_key(self, key: &str) -> Self {
        self.with_header("Idempotency-Key", key)
    }

    pub async fn send(self) -> Answer {
        let mut request = system().http.request(self.method, self.url).body(self.body);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }
}

/// Adds the caller's `user_id` to the body unless it has one.
pub fn as_caller(caller: &Caller, body: &Value) -> Value {
    let mut body = body.clone();
    if let Value::Object(members) = &mut body {
        members.entry("user_id").or_insert_with(|| caller.user_id.clone().into());
    }
    body
}

pub async fn post_export(caller: &Caller, body: &Value) -> Answer {
    Call::export(caller, body).send().await
}

pub async fn get_status(caller: &Caller, data_export_id: &str) -> Answer {
    let parameters = [("user_id", caller.user_id.as_str()), ("data_export_id", data_export_id)];
    Call::get("/export_status", &parameters).with_key(&caller.key).send().await
}

pub async fn get_download(caller: &Caller, data_export_id: &str) -> Answer {
    let user_id = caller.user_id.as_str();
    let parameters = [("user_id", user_id), ("data_export_id", data_export_id), ("download", "true")];
    Call::get("/export_status", &parameters).with_key(&caller.key).send().await
}

pub async fn get_manifest(caller: &Caller, data_export_id: &str) -> Answer {
    let user_id = caller.user_id.as_str();
    let parameters = [("user_id", user_id), ("data_export_id", data_export_id), ("manifest", "true")];
    Call::get("/export_status", &parameters).with_key(&caller.key).send().await
}

pub async fn get_history(caller: &Caller, cursor: Option<&str>) -> Answer {
    let mut parameters = vec![("user_id", caller.user_id.as_str())];
    parameters.extend(cursor.map(|cursor| ("cursor", cursor)));
    Call::get("/exports", &parameters).with_key(&caller.key).send().await
}

/// Fetches what a redirect points to, without the key, as a browser does.
pub async fn follow(answer: &Answer) -> Answer {
    assert_eq!(answer.status, 302, "{answer:?}");
    let response = system().http.get(answer.header("location")).send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

impl Answer {
    /// The value of a header; empty if the answer does not have it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The body, which must be that of a 200 with JSON.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), "application/json");
        self.json()
    }

    /// Asserts that the answer is a problem document of this status that blames exactly these fields, and that it contains
    /// nothing internal.
    pub fn assert_problem(&self, status: u16, fields: &[&str]) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{text}");
        let problem = self.json();
        assert_eq!(problem["status"], status, "{text}");
        for name in ["title", "detail", "request_id"] {
            assert!(problem[name].as_str().is_some_and(|value| !value.is_empty()), "{name}: {text}");
        }
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let named: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(named, fields, "{text}");
        assert!(
            errors.iter().all(|error| error["message"].as_str().is_some_and(|message| !message.is_empty()))
        );
        let outputs = &system().outputs;
        for internal in ["arn:", "dynamodb", "s3:", "src/", &outputs.bucket, &outputs.tables.directory] {
            assert!(!text.to_lowercase().contains(&internal.to_lowercase()), "{internal} leaks: {text}");
        }
    }
}
