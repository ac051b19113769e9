//! Errors as the SDK makes them: from recorded answers, and from servers on this machine that misbehave.

use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const ADDRESS: &str = "ada@example.com";

/// The error of a call that gets this answer.
async fn answered(status: u16, body: Option<&str>) -> AwsError {
    let rule = mock!(Client::list_tables)
        .sequence()
        .http_status(status, body.map(str::to_owned))
        .repeatedly()
        .build();
    call(&mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&rule])).await
}

async fn call(client: &Client) -> AwsError {
    client.list_tables().send().await.map_err(AwsError::from_sdk("dynamodb:ListTables")).unwrap_err()
}

/// A client of this endpoint, without retries.
fn client(endpoint_url: &str) -> Client {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(300)).build();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKIDEXAMPLE", "the secret key", None, None, "test"))
        .endpoint_url(endpoint_url)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .build();
    Client::from_conf(config)
}

/// The error of a call to a server that treats its connections like this.
async fn served<F>(scheme: &str, serve: fn(TcpStream) -> F) -> AwsError
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{scheme}://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream).await;
        }
    });
    let error = call(&client(&url)).await;
    server.abort();
    error
}

fn assert_transport(error: &AwsError, sent: bool, cause: &str) {
    let AwsError::Transport { operation, request_sent, cause: found } = error else { panic!("{error:?}") };
    assert_eq!((*operation, *request_sent), ("dynamodb:ListTables", sent), "{error}");
    assert!(found.contains(cause), "{error}");
    assert!(!error.is_permanent());
    assert!(!format!("{error:?}").contains("the secret key"), "{error:?}");
}

#[tokio::test]
async fn a_refusal_keeps_the_code_and_the_message_of_the_service() {
    let body =
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no table"}"#;
    let error = answered(400, Some(body)).await;
    assert!(matches!(error, AwsError::Refused { .. }) && !error.is_permanent());
    assert_eq!(error.to_string(), "dynamodb:ListTables: ResourceNotFoundException: no table");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_a_code_is_told_by_its_status() {
    let error = answered(503, None).await;
    assert_eq!(error.to_string(), "dynamodb:ListTables: HTTP 503: the service gave no message");
}

#[tokio::test]
async fn a_refusal_under_the_status_of_a_success_is_a_refusal() {
    let error = "<Error><Code>InternalError</Code><Message>try again</Message></Error>";
    let rule = mock!(aws_sdk_s3::Client::complete_multipart_upload)
        .sequence()
        .http_status(200, Some(error.to_owned()))
        .repeatedly()
        .build();
    let config = |config: aws_sdk_s3::config::Builder| config.retry_config(RetryConfig::disabled());
    let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&rule], config);
    let sent = s3.complete_multipart_upload().bucket("files").key("k").upload_id("u").send().await;
    let error = sent.map_err(AwsError::from_sdk("s3:CompleteMultipartUpload")).unwrap_err();
    assert_eq!(error.to_string(), "s3:CompleteMultipartUpload: InternalError: try again");
}

#[tokio::test]
async fn an_answer_that_cannot_be_parsed_is_a_transport_failure_and_is_not_quoted() {
    let error = answered(200, Some(&format!(r#"{{"TableNames":["{ADDRESS}", ???"#))).await;
    assert_transport(&error, true, "unexpected token");
    assert!(!format!("{error} {error:?}").contains(ADDRESS), "{error:?}");
}

#[tokio::test]
async fn a_refused_connection_is_told_with_its_cause() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = call(&client(&format!("http://{unused}"))).await;
    assert_transport(&error, false, "Connection refused");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_with_its_cause() {
    let error = served("https", |mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    assert_transport(&error, false, "corrupt message");
}

#[tokio::test]
async fn a_time_out_may_have_arrived() {
    let error = served("http", |stream| async move {
        tokio::time::sleep(Duration::from_secs(10)).await;
        drop(stream);
    })
    .await;
    assert_transport(&error, true, "timeout");
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_may_have_arrived() {
    let error = served("http", |mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
    })
    .await;
    assert_transport(&error, true, "connection closed before message completed");
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_a_transport_failure() {
    let error = served("http", |mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"TableNames\":[";
        let _ = stream.write_all(answer).await;
    })
    .await;
    assert_transport(&error, true, "end of file before message length reached");
}

#[tokio::test]
async fn a_request_that_cannot_be_built_is_an_internal_fault() {
    let config = aws_sdk_s3::Config::builder().behavior_version(BehaviorVersion::latest()).build();
    let sent = aws_sdk_s3::Client::from_conf(config).get_object().bucket("files").send().await;
    let error = sent.map_err(AwsError::from_sdk("s3:GetObject")).unwrap_err();
    assert!(matches!(error, AwsError::Internal { .. }), "{error:?}");
    assert!(error.to_string().contains("key"), "{error}");
}

#[tokio::test]
async fn a_task_without_a_result_is_an_internal_fault_that_quotes_nothing() {
    let panicked = tokio::spawn(async { panic!("a record of {ADDRESS}") });
    let error = panicked.await.map_err(AwsError::from_join("page of usage records")).unwrap_err();
    assert_eq!(error.to_string(), "internal fault: page of usage records: the task panicked");
    assert!(!format!("{error:?}").contains(ADDRESS));

    let cancelled = tokio::spawn(std::future::pending::<()>());
    cancelled.abort();
    let error = cancelled.await.map_err(AwsError::from_join("page of usage records")).unwrap_err();
    assert_eq!(error.to_string(), "internal fault: page of usage records: the task was cancelled");
}

#[test]
fn only_a_corrupt_record_is_permanent_and_its_values_are_left_out() {
    for (message, told) in [
        ("missing field `tier`", "missing field `tier`"),
        ("duplicate field `tier`", "duplicate field `tier`"),
        ("Expected string", "Expected string"),
        (
            "unknown variant `ada@example.com`, expected `personal` or `organization`",
            "unknown variant …, expected `personal` or `organization`",
        ),
        (
            r#"invalid type: string "a, expected \"b@c\", d", expected u8"#,
            "invalid type: string …, expected u8",
        ),
        ("Failed to parse 'ada@example.com' as an integer: invalid digit", "Failed to parse …"),
    ] {
        let error = AwsError::unreadable("ORG#org_1", &std::io::Error::other(message));
        assert!(error.is_permanent());
        assert_eq!(error.to_string(), format!("ORG#org_1 cannot be read: {told}"));
    }
}
