//! What MiniStack lets pass and AWS does not. These tests need services that are as strict as AWS:
//! `cargo xtask test --backend localstack`, and what is about tables also with `--backend dynamodb-local`.

use std::sync::{Arc, Mutex};

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart};
use export_worker::Disposition;
use integration_tests::files::{object_key, open_uploads};
use integration_tests::org::TestOrg;
use integration_tests::run;
use integration_tests::system::system;
use serde_json::Value;

use crate::faults::crc32;
use crate::resume::{LARGE_ID_BYTES, LARGE_RUNS, large};
use crate::world::World;

/// The smallest part of an upload, but for the last: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.
const SMALLEST_PART: usize = 5 * 1024 * 1024;
/// What one unit reads: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>.
const UNIT_BYTES: f64 = 4096.0;

/// Uploads a file in two parts; returns the error code if it is refused.
async fn upload(org: &TestOrg, id: &str, first: usize, second: usize) -> Option<String> {
    let (s3, bucket, key) = (&system().s3, &system().outputs.bucket, object_key(org, id));
    let created = s3.create_multipart_upload().bucket(bucket).key(&key).send().await.unwrap();
    let upload_id = created.upload_id.unwrap();
    let mut parts = CompletedMultipartUpload::builder();
    for (number, size) in [(1, first), (2, second)] {
        let part = s3.upload_part().bucket(bucket).key(&key).upload_id(&upload_id).part_number(number);
        let sent = part.body(ByteStream::from(vec![b'x'; size])).send().await.unwrap();
        parts = parts.parts(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build());
    }
    let complete = s3.complete_multipart_upload().bucket(bucket).key(&key).upload_id(&upload_id);
    let completed = complete.multipart_upload(parts.build()).send().await;
    completed.err().map(|error| error.code().unwrap().to_owned())
}

#[test]
#[ignore = "MiniStack takes parts of any size: cargo xtask test --backend localstack"]
fn a_bucket_that_refuses_small_parts_takes_a_file_in_parts() {
    run(async {
        let world = large().await;
        let refused = upload(&world.org, "small", SMALLEST_PART - 1, 1).await;
        assert_eq!(refused.as_deref(), Some("EntityTooSmall"));
        assert_eq!(upload(&world.org, "large", SMALLEST_PART, 1).await, None);

        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["state"], "COMPLETED");
        assert_eq!(world.parts_sent(), [1, 2, 3]);
        assert!(open_uploads(&world.org, &world.id).await.is_empty());
    });
}

#[test]
#[ignore = "MiniStack has checksums of checksums only: cargo xtask test --backend localstack"]
fn s3_itself_has_the_checksum_of_the_whole_file() {
    run(async {
        let world = large().await;
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        let (bucket, key) = (&system().outputs.bucket, object_key(&world.org, &world.id));
        let head = system().s3.head_object().bucket(bucket).key(key).checksum_mode(ChecksumMode::Enabled);
        let head = head.send().await.unwrap();
        assert_eq!(head.checksum_type, Some(ChecksumType::FullObject));
        let file = world.file().await.unwrap();
        assert_eq!(head.checksum_crc32, Some(crc32(&file)));
        assert_eq!(world.export().await["checksum"], format!("crc32:{:08x}", crc32fast::hash(&file)));
    });
}

/// The units and the records of each page, as DynamoDB tells them.
fn count_units(world: &World) -> Arc<Mutex<Vec<(f64, u32)>>> {
    let pages = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&pages);
    world.faults.on("Query", move |call, _| {
        let seen = Arc::clone(&seen);
        async move {
            let mut answer = call.send().await?;
            let body = ByteStream::new(answer.take_body()).collect().await.unwrap().into_bytes();
            let page: Value = serde_json::from_slice(&body).unwrap();
            let units = page["ConsumedCapacity"]["CapacityUnits"].as_f64().unwrap();
            seen.lock()
                .unwrap()
                .push((units, u32::try_from(page["ScannedCount"].as_u64().unwrap()).unwrap()));
            *answer.body_mut() = SdkBody::from(body);
            Ok(answer)
        }
    });
    pages
}

#[test]
#[ignore = "MiniStack makes its figures up: cargo xtask test --backend dynamodb-local, or localstack"]
fn reading_costs_the_size_of_the_records_and_nothing_is_read_twice() {
    run(async {
        let world = large().await;
        let pages = count_units(&world);
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["row_count"], LARGE_RUNS);
        let (units, records) = pages
            .lock()
            .unwrap()
            .iter()
            .fold((0.0, 0), |(units, records), page| (units + page.0, records + page.1));
        assert_eq!(records, LARGE_RUNS);
        // The id of the workbook is nearly all of a record; the other attributes and the rounding of a page are a hundredth.
        let least = f64::from(LARGE_RUNS) * f64::from(LARGE_ID_BYTES) / UNIT_BYTES;
        assert!((least..least * 1.01).contains(&units), "{units} units, at least {least}");
    });
}
