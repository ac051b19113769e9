//! S3 as far as the worker uses it: multipart uploads, and what it tells of a file.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client as S3;
use aws_sdk_s3::config::http::HttpRequest;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::error::ErrorMetadata;
use aws_sdk_s3::operation::abort_multipart_upload::AbortMultipartUploadOutput;
use aws_sdk_s3::operation::complete_multipart_upload::{
    CompleteMultipartUploadError, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
};
use aws_sdk_s3::operation::create_multipart_upload::CreateMultipartUploadOutput;
use aws_sdk_s3::operation::head_object::{HeadObjectError, HeadObjectOutput};
use aws_sdk_s3::operation::list_parts::{ListPartsError, ListPartsInput, ListPartsOutput};
use aws_sdk_s3::operation::upload_part::UploadPartOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, Part};
use aws_smithy_mocks::{MockResponse, Rule, mock};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::FutureExt as _;

use crate::world::locked;

#[derive(Debug, Default)]
pub struct Bucket {
    /// Parts by upload.
    pub uploads: BTreeMap<String, BTreeMap<i32, Vec<u8>>>,
    /// Whole files by key.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The number of each part in the order in which they came.
    pub parts_sent: Vec<i32>,
    pub aborted: usize,
    /// The next completion takes place, and its answer does not arrive.
    pub loses_next_completion: bool,
    /// It does not tell the checksum of a file, as some emulators.
    pub keeps_checksums_back: bool,
    begun: usize,
}

fn failure(code: &str) -> ErrorMetadata {
    ErrorMetadata::builder().code(code).build()
}

pub fn crc32(bytes: &[u8]) -> String {
    STANDARD.encode(crc32fast::hash(bytes).to_be_bytes())
}

impl Bucket {
    fn begin(&mut self) -> String {
        self.begun += 1;
        let id = format!("upload-{}", self.begun);
        self.uploads.insert(id.clone(), BTreeMap::new());
        id
    }

    fn receive(&mut self, request: &HttpRequest) {
        let (_, query) = request.uri().split_once('?').expect("a query");
        let query: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let Some(number) = query.get("partNumber") else { return };
        let number = number.parse().expect("a number");
        // As a retry would send it.
        let body = request.body().try_clone().expect("a body that can be sent again");
        let length = body.content_length();
        let sent = ByteStream::new(body).collect().now_or_never().expect("a part that is here");
        let bytes = sent.expect("bytes").into_bytes();
        assert_eq!(length, Some(bytes.len() as u64), "part {number}");
        assert_eq!(
            request.headers().get("x-amz-checksum-crc32"),
            Some(crc32(&bytes).as_str()),
            "part {number}"
        );
        self.parts_sent.push(number);
        let upload = self.uploads.get_mut(&*query["uploadId"]).expect("a known upload");
        upload.insert(number, bytes.to_vec());
    }

    fn list(&self, request: &ListPartsInput) -> MockResponse<ListPartsOutput, ListPartsError> {
        let Some(upload) = self.uploads.get(request.upload_id().expect("an upload")) else {
            return MockResponse::Error(ListPartsError::generic(failure("NoSuchUpload")));
        };
        let part = |(number, bytes): (&i32, &Vec<u8>)| {
            Part::builder()
                .part_number(*number)
                .e_tag(format!("etag-{number}"))
                .checksum_crc32(crc32(bytes))
                .build()
        };
        let parts = upload.iter().map(part).collect();
        MockResponse::Output(ListPartsOutput::builder().set_parts(Some(parts)).build())
    }

    fn complete(
        &mut self,
        request: &CompleteMultipartUploadInput,
    ) -> MockResponse<CompleteMultipartUploadOutput, CompleteMultipartUploadError> {
        let fails = |code| MockResponse::Error(CompleteMultipartUploadError::generic(failure(code)));
        let upload_id = request.upload_id().expect("an upload");
        let Some(parts) = self.uploads.get(upload_id) else { return fails("NoSuchUpload") };
        let wanted = request.multipart_upload().expect("parts").parts();
        let file: Vec<u8> =
            wanted.iter().flat_map(|part| parts[&part.part_number().expect("a number")].clone()).collect();
        assert_eq!(request.checksum_type(), Some(&ChecksumType::FullObject));
        if request.mpu_object_size() != i64::try_from(file.len()).ok() {
            return fails("InvalidRequest");
        }
        self.uploads.remove(upload_id);
        self.files.insert(request.key().expect("a key").to_owned(), file);
        if std::mem::take(&mut self.loses_next_completion) {
            return fails("AnswerLost");
        }
        MockResponse::Output(CompleteMultipartUploadOutput::builder().build())
    }

    fn head(&self, key: &str) -> MockResponse<HeadObjectOutput, HeadObjectError> {
        match self.files.get(key) {
            Some(file) => {
                let length = i64::try_from(file.len()).expect("a size");
                let mut head = HeadObjectOutput::builder().content_length(length);
                if !self.keeps_checksums_back {
                    head = head.checksum_type(ChecksumType::FullObject).checksum_crc32(crc32(file));
                }
                MockResponse::Output(head.build())
            }
            None => MockResponse::Error(HeadObjectError::NotFound(
                aws_sdk_s3::types::error::NotFound::builder().build(),
            )),
        }
    }
}

/// Receives parts as they are sent.
#[derive(Debug)]
pub struct Receiver(pub Arc<Mutex<Bucket>>);

impl Intercept for Receiver {
    fn name(&self) -> &'static str {
        "Receiver"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.request().method() == "PUT" {
            locked(&self.0).receive(context.request());
        }
        Ok(())
    }
}

/// Answers every call on the bucket.
pub fn rules(bucket: &Arc<Mutex<Bucket>>) -> Vec<Rule> {
    let [begin, list, complete, head, abort] = std::array::from_fn(|_| Arc::clone(bucket));
    vec![
        mock!(S3::create_multipart_upload).then_compute_output(move |request| {
            assert_eq!(request.checksum_type(), Some(&ChecksumType::FullObject));
            CreateMultipartUploadOutput::builder().upload_id(locked(&begin).begin()).build()
        }),
        mock!(S3::upload_part).then_output(|| UploadPartOutput::builder().build()),
        mock!(S3::list_parts).then_compute_response(move |request| locked(&list).list(request)),
        mock!(S3::complete_multipart_upload)
            .then_compute_response(move |request| locked(&complete).complete(request)),
        mock!(S3::head_object).then_compute_response(move |request| {
            assert_eq!(request.checksum_mode(), Some(&ChecksumMode::Enabled), "S3 tells none unasked");
            locked(&head).head(request.key().expect("a key"))
        }),
        mock!(S3::abort_multipart_upload).then_compute_output(move |request| {
            let mut bucket = locked(&abort);
            bucket.aborted += 1;
            bucket.uploads.remove(request.upload_id().expect("an upload"));
            AbortMultipartUploadOutput::builder().build()
        }),
    ]
}
