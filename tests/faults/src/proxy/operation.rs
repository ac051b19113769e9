//! Which call a request is.

use hyper::Method;
use hyper::http::request::Parts;

/// A service of AWS that the functions call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Tables.
    DynamoDb,
    /// Files.
    S3,
    /// Emails.
    Ses,
    /// Messages.
    Sqs,
}

/// A call as the service's API reference names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Whose operation it is.
    pub service: Service,
    /// Such as `Query`. `Presigned` for any request with a presigned URL, which comes from a person and not from a function.
    pub name: String,
}

impl Operation {
    /// Recognises a call. `DynamoDB` and SQS name the operation in a header, SES by the path, S3 by method, path and query.
    pub fn of(head: &Parts) -> Self {
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        if let Some((api, name)) = target.and_then(|target| target.split_once('.')) {
            let service = if api.starts_with("DynamoDB") { Service::DynamoDb } else { Service::Sqs };
            return Self { service, name: name.to_owned() };
        }
        if head.uri.path() == "/v2/email/outbound-emails" {
            return Self { service: Service::Ses, name: "SendEmail".to_owned() };
        }
        Self { service: Service::S3, name: s3_operation(head).to_owned() }
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>
fn s3_operation(head: &Parts) -> &'static str {
    let query = head.uri.query().unwrap_or_default();
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    if has("X-Amz-Signature") {
        return "Presigned";
    }
    // The bucket comes first in the path, because 127.0.0.1 has no subdomains.
    let names_object =
        head.uri.path().trim_start_matches('/').split_once('/').is_some_and(|(_, key)| !key.is_empty());
    match (&head.method, names_object) {
        (&Method::POST, true) if has("uploads") => "CreateMultipartUpload",
        (&Method::POST, true) if has("uploadId") => "CompleteMultipartUpload",
        (&Method::PUT, true) if has("partNumber") && head.headers.contains_key("x-amz-copy-source") => {
            "UploadPartCopy"
        }
        (&Method::PUT, true) if has("partNumber") => "UploadPart",
        (&Method::PUT, true) => "PutObject",
        (&Method::GET, true) if has("uploadId") => "ListParts",
        (&Method::GET, true) => "GetObject",
        (&Method::HEAD, true) => "HeadObject",
        (&Method::DELETE, true) if has("uploadId") => "AbortMultipartUpload",
        (&Method::DELETE, true) => "DeleteObject",
        (&Method::POST, false) if has("delete") => "DeleteObjects",
        (&Method::GET, false) if has("uploads") => "ListMultipartUploads",
        (&Method::GET, false) => "ListObjects",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn operation(method: &str, uri: &str, headers: &[(&str, &str)]) -> String {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let operation = Operation::of(&request.body(()).unwrap().into_parts().0);
        format!("{:?} {}", operation.service, operation.name)
    }

    #[test]
    fn a_header_names_the_operations_of_dynamodb_and_sqs() {
        let target = |target| operation("POST", "/", &[("x-amz-target", target)]);
        assert_eq!(target("DynamoDB_20120810.Query"), "DynamoDb Query");
        assert_eq!(target("AmazonSQS.SendMessage"), "Sqs SendMessage");
    }

    #[test]
    fn the_path_names_the_operation_of_ses() {
        assert_eq!(operation("POST", "/v2/email/outbound-emails", &[]), "Ses SendEmail");
    }

    #[test]
    fn method_path_and_query_name_the_operations_of_s3() {
        for (method, path, expected) in [
            ("POST", "/bucket/exports/o/e.csv?uploads", "CreateMultipartUpload"),
            ("PUT", "/bucket/exports/o/e.csv?x-id=UploadPart&partNumber=2&uploadId=u", "UploadPart"),
            ("GET", "/bucket/exports/o/e.csv?x-id=ListParts&uploadId=u", "ListParts"),
            ("POST", "/bucket/exports/o/e.csv?uploadId=u", "CompleteMultipartUpload"),
            (
                "DELETE",
                "/bucket/exports/o/e.csv?x-id=AbortMultipartUpload&uploadId=u",
                "AbortMultipartUpload",
            ),
            ("HEAD", "/bucket/exports/o/e.csv", "HeadObject"),
            ("GET", "/bucket/exports/o/e.csv?x-id=GetObject", "GetObject"),
            ("PUT", "/bucket/exports/o/e.plan.json?x-id=PutObject", "PutObject"),
            ("DELETE", "/bucket/exports/o/e.plan.json?x-id=DeleteObject", "DeleteObject"),
            ("GET", "/bucket?uploads&prefix=exports", "ListMultipartUploads"),
            ("GET", "/bucket/?list-type=2", "ListObjects"),
            ("GET", "/bucket/exports/o/e.csv?X-Amz-Expires=300&X-Amz-Signature=abc", "Presigned"),
        ] {
            assert_eq!(operation(method, path, &[]), format!("S3 {expected}"), "{method} {path}");
        }
    }
}
