//! A client of the API, such as a customer's program has.

use std::path::Path;

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use reqwest::{Client, RequestBuilder};
use seed::SeededUser;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use usage_export::usage;

/// Calls the API as one user.
pub struct Api<'a> {
    http: Client,
    url: &'a str,
    user: &'a SeededUser,
}

/// The answer of `GET /export_status`.
#[derive(Deserialize)]
pub struct Status {
    pub state: String,
    pub progress: Option<u64>,
    pub row_count: Option<u64>,
    pub size_bytes: Option<u64>,
    pub checksum: Option<String>,
    pub error: Option<Value>,
}

/// What arrived with a downloaded file.
pub struct Download {
    pub size_bytes: u64,
    /// The checksum of the bytes in the API's form: `crc32:` and eight hexadecimal digits.
    pub checksum: String,
    pub content_disposition: String,
    pub content_type: String,
    /// Whether the file came from S3 by a redirect.
    pub redirected: bool,
}

impl<'a> Api<'a> {
    /// Makes a client of the API at this origin.
    ///
    /// # Errors
    ///
    /// Fails if the HTTP client cannot be made.
    pub fn new(url: &'a str, user: &'a SeededUser) -> Result<Self> {
        Ok(Self { http: Client::builder().no_proxy().build()?, url, user })
    }

    /// Asks for every field of every workspace, and returns the id of the export.
    ///
    /// # Errors
    ///
    /// Fails if the API cannot be reached or refuses the request.
    pub async fn post_export(&self, start: &str, end: &str) -> Result<String> {
        let body = json!({
            "user_id": self.user.user_id,
            "export_fields": usage::FIELDS.map(|field| field.id),
            "start_date": start,
            "end_date": end,
            "include_all_workspaces": true,
        });
        let request = self.http.post(format!("{}/export_data", self.url)).json(&body);
        let answer: Value = self.send(request).await?.json().await?;
        let id = answer["data_export_id"].as_str();
        Ok(id.with_context(|| format!("the answer has no data_export_id: {answer}"))?.to_owned())
    }

    /// Asks how an export stands.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::post_export`] does.
    pub async fn status(&self, id: &str) -> Result<Status> {
        let url = format!("{}/export_status?user_id={}&data_export_id={id}", self.url, self.user.user_id);
        Ok(self.send(self.http.get(url)).await?.json().await?)
    }

    /// Downloads the CSV into a file. A redirect to S3 is followed.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::post_export`] does, and if the file cannot be written.
    pub async fn download(&self, id: &str, path: &Path) -> Result<Download> {
        let url = format!(
            "{}/export_status?user_id={}&data_export_id={id}&download=true",
            self.url, self.user.user_id
        );
        let response = self.send(self.http.get(&url)).await?;
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (content_disposition, content_type) = (header("content-disposition"), header("content-type"));
        let redirected = response.url().as_str() != url;
        let mut file = tokio::fs::File::create(path).await?;
        let mut crc32 = crc32fast::Hasher::new();
        let mut size_bytes = 0;
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await.transpose()? {
            file.write_all(&chunk).await?;
            crc32.update(&chunk);
            size_bytes += chunk.len() as u64;
        }
        file.flush().await?;
        let checksum = format!("crc32:{:08x}", crc32.finalize());
        Ok(Download { size_bytes, checksum, content_disposition, content_type, redirected })
    }

    async fn send(&self, request: RequestBuilder) -> Result<reqwest::Response> {
        let request = request.bearer_auth(&self.user.api_key).build()?;
        let asked = format!("{} {}", request.method(), request.url().path());
        let response = self.http.execute(request).await?;
        let status = response.status();
        if !status.is_success() {
            bail!("{asked} answered {status}: {}", response.text().await?);
        }
        Ok(response)
    }
}
