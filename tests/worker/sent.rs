//! A call as it was sent to AWS.

use std::collections::HashMap;

use aws_sdk_s3::config::http::HttpRequest;
use serde_json::Value;

/// An attempt of a call, as it was recorded.
pub struct Sent {
    /// Its name in the service's API reference.
    pub operation: String,
    pub uri: String,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Sent {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The number of a part.
    pub fn part_number(&self) -> i32 {
        self.parameter("partNumber").parse().unwrap()
    }

    pub fn parameter(&self, name: &str) -> String {
        let uri = reqwest::Url::parse(&self.uri).unwrap();
        uri.query_pairs().find(|pair| pair.0 == name).unwrap().1.into_owned()
    }

    /// How many bytes a part has.
    pub fn size(&self) -> usize {
        let Some((first, last)) = self
            .header("x-amz-copy-source-range")
            .strip_prefix("bytes=")
            .and_then(|range| range.split_once('-'))
        else {
            return self.body.len();
        };
        last.parse::<usize>().unwrap() - first.parse::<usize>().unwrap() + 1
    }
}

/// The operation of a request: SQS and DynamoDB name it in a header, S3 and SES do not.
pub fn operation(request: &HttpRequest) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().unwrap_or_default().to_owned();
    }
    let has =
        |parameter: &str| request.uri().split(['?', '&']).skip(1).any(|part| part.starts_with(parameter));
    let operation = match request.method() {
        "POST" if request.uri().ends_with("/outbound-emails") => "SendEmail",
        "POST" if has("uploads") => "CreateMultipartUpload",
        "PUT" if has("partNumber=") && request.headers().contains_key("x-amz-copy-source") => {
            "UploadPartCopy"
        }
        "PUT" if has("partNumber=") => "UploadPart",
        "GET" if has("uploadId=") => "ListParts",
        "POST" if has("uploadId=") => "CompleteMultipartUpload",
        "DELETE" if has("uploadId=") => "AbortMultipartUpload",
        "HEAD" => "HeadObject",
        "GET" if has("uploads") => "ListMultipartUploads",
        "GET" if has("list-type=2") => "ListObjectsV2",
        "GET" if has("x-id=GetObject") => "GetObject",
        "PUT" if has("x-id=PutObject") => "PutObject",
        "DELETE" if has("x-id=DeleteObject") => "DeleteObject",
        "POST" if has("delete") => "DeleteObjects",
        method => panic!("{method} {} is no call of the worker", request.uri()),
    };
    operation.to_owned()
}
