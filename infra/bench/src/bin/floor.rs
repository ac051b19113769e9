//! The floor: the least that an export can use. The SDK reads all pages and discards them, then uploads as many bytes as
//! the file has. It writes no CSV.
//!
//! A worker that calls DynamoDB and S3 with the SDK cannot use less.

use std::pin::Pin;
use std::task::{Context, Poll};

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body::{Body, Frame};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};

/// Size of the parts of the upload, as in the product.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Enough for everything that follows the items of a page.
const TAIL_BYTES: usize = 4 * 1024;

/// The event: what to export.
#[derive(Deserialize)]
struct Job {
    workspaces: Vec<String>,
    months: Vec<String>,
    first: String,
    last: String,
    key: String,
    bytes: usize,
}

/// Clients, and the names of what they use.
struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    s3: aws_sdk_s3::Client,
    table: String,
    bucket: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let clients = &Clients {
        dynamodb: aws_sdk_dynamodb::Client::new(&aws),
        s3: aws_sdk_s3::Client::new(&aws),
        table: std::env::var("USAGE_RECORDS_TABLE")?,
        bucket: std::env::var("BUCKET")?,
    };
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Job>| async move {
        read(clients, &event.payload).await?;
        upload(clients, &event.payload).await?;
        Ok::<Value, Error>(json!({}))
    }))
    .await
}

/// Reads all pages.
async fn read(clients: &Clients, job: &Job) -> Result<(), Error> {
    for workspace in &job.workspaces {
        for month in &job.months {
            let mut start = None;
            loop {
                let output = clients
                    .dynamodb
                    .query()
                    .table_name(&clients.table)
                    .key_condition_expression("PK = :pk AND SK BETWEEN :first AND :last")
                    .expression_attribute_values(":pk", AttributeValue::S(format!("{workspace}#{month}")))
                    .expression_attribute_values(":first", AttributeValue::S(job.first.clone()))
                    .expression_attribute_values(":last", AttributeValue::S(job.last.clone()))
                    .consistent_read(true)
                    .set_exclusive_start_key(start)
                    .customize()
                    .interceptor(DiscardItems)
                    .send()
                    .await?;
                start = output.last_evaluated_key;
                if start.is_none() {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Uploads zeros.
async fn upload(clients: &Clients, job: &Job) -> Result<(), Error> {
    let zeros = Bytes::from(vec![0; PART_BYTES.min(job.bytes)]);
    let crc32 = base64_crc32(&zeros);
    let begin = clients.s3.create_multipart_upload().bucket(&clients.bucket).key(&job.key);
    let upload_id = begin.send().await?.upload_id.ok_or("no upload id")?;
    let mut parts = Vec::new();
    for start in (0..job.bytes).step_by(PART_BYTES) {
        let part = zeros.slice(..PART_BYTES.min(job.bytes - start));
        let crc32 = if part.len() == zeros.len() { crc32.clone() } else { base64_crc32(&part) };
        let number = i32::try_from(parts.len() + 1)?;
        let send = clients.s3.upload_part().bucket(&clients.bucket).key(&job.key).upload_id(&upload_id);
        let send =
            send.part_number(number).checksum_algorithm(ChecksumAlgorithm::Crc32).checksum_crc32(crc32);
        let output =
            send.body(SdkBody::from(part).into()).customize().disable_payload_signing().send().await?;
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(output.e_tag).build());
    }
    let complete = clients.s3.complete_multipart_upload().bucket(&clients.bucket).key(&job.key);
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    complete.upload_id(upload_id).multipart_upload(parts).send().await?;
    Ok(())
}

fn base64_crc32(bytes: &[u8]) -> String {
    STANDARD.encode(crc32fast::hash(bytes).to_be_bytes())
}

/// Discards the items of each page before the SDK parses it, and leaves what follows them.
#[derive(Debug)]
struct DiscardItems;

impl Intercept for DiscardItems {
    fn name(&self) -> &'static str {
        "DiscardItems"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = std::mem::replace(context.response_mut().body_mut(), SdkBody::taken());
        *context.response_mut().body_mut() = SdkBody::from_body_1_x(Tail { body, tail: Some(Vec::new()) });
        Ok(())
    }
}

/// Reads a body to its end, and gives a body with only what follows the items.
struct Tail {
    body: SdkBody,
    /// The last bytes that have arrived; `None` once they were given.
    tail: Option<Vec<u8>>,
}

impl Body for Tail {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(mut tail) = self.tail.take() else { return Poll::Ready(None) };
        loop {
            let frame = match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => {
                    self.tail = Some(tail);
                    return Poll::Pending;
                }
                Poll::Ready(frame) => frame.transpose()?,
            };
            let Some(frame) = frame else { break };
            let Some(bytes) = frame.data_ref() else { continue };
            if bytes.len() >= TAIL_BYTES {
                tail.clear();
            }
            tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
            tail.drain(..tail.len().saturating_sub(TAIL_BYTES));
        }
        let end = tail.windows(2).rposition(|pair| pair == b"],").ok_or("a page without items")?;
        let envelope = [b"{", &tail[end + 2..]].concat();
        Poll::Ready(Some(Ok(Frame::data(envelope.into()))))
    }
}
