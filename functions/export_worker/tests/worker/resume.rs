//! An export over several workers: the bytes come out the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::error::ErrorMetadata;
use aws_sdk_dynamodb::operation::query::QueryError;
use aws_smithy_mocks::{MockResponse, mock};
use export_worker::Disposition;
use export_worker::job::process;
use export_worker::sink::upload::MIN_PART_BYTES;
use serde_json::json;
use usage_export::dynamo::number;
use usage_export::export::State;

use crate::world::{World, answer, let_pass, locked, page};

/// An export of two and a half parts, in four workspace months.
fn large() -> World {
    let mut world = World::with_request(&json!({
        "export_fields": ["run_id", "workbook_id"], "workspace_ids": ["wsp_1", "wsp_2"], "end_date": "2025-02-28",
    }));
    locked(&world.state).records.clear();
    world.page_size = 20;
    // A row has some 64 kB, so a part has some 128 rows.
    let workbook_id = "w".repeat(65_500);
    for (partition, month) in
        [("wsp_1#2025-01", 1), ("wsp_1#2025-02", 2), ("wsp_2#2025-01", 1), ("wsp_2#2025-02", 2)]
    {
        for minute in 0..85 {
            let start = format!("2025-{month:02}-03T{:02}:{:02}:00.000Z", minute / 60, minute % 60);
            world.add_run(partition, &format!("{start}#run_{minute}"), &workbook_id);
        }
    }
    world
}

/// Reads fail for good after so many pages.
fn fail_after(world: &mut World, pages: usize) {
    let (state, page_size, read) = (Arc::clone(&world.state), world.page_size, AtomicUsize::new(0));
    world.dynamodb(
        mock!(DynamoDb::query)
            .match_requests(|request| request.table_name() == Some("usage"))
            .then_compute_response(move |request| {
                if read.fetch_add(1, Ordering::Relaxed) >= pages {
                    let denied = ErrorMetadata::builder().code("AccessDeniedException").build();
                    return MockResponse::Error(QueryError::generic(denied));
                }
                answer(&page(&locked(&state).records, request, page_size))
            }),
    );
}

async fn file_of_one_worker() -> Vec<u8> {
    let world = large();
    process(&world.worker(), &world.id, "worker", 1).await;
    assert_eq!(locked(&world.bucket).parts_sent, [1, 2, 3]);
    world.file().expect("a file")
}

#[tokio::test]
async fn a_second_worker_goes_on_where_the_first_saved() {
    let mut world = large();
    // Two parts are sent by then; the first one's checkpoint is saved when the second is cut.
    fail_after(&mut world, 18);
    let again = process(&world.worker(), &world.id, "worker", 1).await;
    assert_eq!(again, Disposition::Retry(Duration::from_secs(5)));
    let checkpoint = world.export().checkpoint.expect("a checkpoint");
    assert_eq!(checkpoint.parts, 1);
    let part = locked(&world.bucket).uploads[&checkpoint.upload_id][&1].clone();
    assert!(part.len() >= MIN_PART_BYTES);
    assert_eq!((checkpoint.counts.bytes, checkpoint.crc32), (part.len() as u64, crc32fast::hash(&part)));

    world.recover();
    locked(&world.bucket).parts_sent.clear();
    let_pass(5);
    assert_eq!(process(&world.worker(), &world.id, "worker-2", 2).await, Disposition::Acknowledge);
    let file = world.file().expect("a file");
    assert!(file == file_of_one_worker().await, "the bytes differ");
    assert_eq!(locked(&world.bucket).parts_sent, [2, 3], "the first part is not sent again");
    let export = world.export();
    assert_eq!((export.state, export.attempts, export.row_count), (State::Completed, 2, 340));
    assert_eq!(export.checksum, Some(format!("crc32:{:08x}", crc32fast::hash(&file))));
    assert_eq!(export.size_bytes, Some(file.len() as u64));
}

/// Records that are left out, also behind the last that is written of a page or a month.
#[tokio::test]
async fn nothing_is_counted_twice_when_records_are_left_out() {
    for more in [0, 200] {
        let ids: Vec<_> = (0..more).map(|id| format!("wbk_more_{id}")).chain(["wbk_1".to_owned()]).collect();
        let mut world = World::with_request(&json!({"entity_ids": ids, "export_fields": ["run_id"]}));
        locked(&world.state).records.clear();
        // Every page ends with records that are left out.
        world.page_size = 21;
        for (second, workbook_id) in ["wbk_1", "wbk_2", "wbk_2"].iter().cycle().take(900).enumerate() {
            let start = format!("2025-01-03T09:{:02}:{:02}.000Z", second / 60, second % 60);
            world.add_run("wsp_1#2025-01", &format!("{start}#{}", "r".repeat(65_500)), workbook_id);
        }
        fail_after(&mut world, 40);
        process(&world.worker(), &world.id, "worker", 1).await;
        assert!(world.export().checkpoint.is_some());
        world.recover();
        let_pass(5);
        process(&world.worker(), &world.id, "worker-2", 2).await;
        let export = world.export();
        assert_eq!((export.state, export.row_count), (State::Completed, 300), "{more} more ids");
        assert_eq!(locked(&world.state).export["rows_read"].as_n().map(String::as_str), Ok("900"));
    }
}

#[tokio::test]
async fn a_file_that_is_not_what_was_written_fails_the_export() {
    let mut world = large();
    fail_after(&mut world, 18);
    process(&world.worker(), &world.id, "worker", 1).await;
    world.recover();
    for upload in locked(&world.bucket).uploads.values_mut() {
        upload.get_mut(&1).expect("a part")[7] ^= 1;
    }
    // The size is right; the checksum of the whole file is not.
    assert_eq!(process(&world.worker(), &world.id, "worker-2", 2).await, Disposition::Acknowledge);
    let export = world.export();
    assert_eq!(export.state, State::Failed);
    assert!(export.error.is_some_and(|error| error.contains("did not add up")));
}

#[tokio::test]
async fn where_a_checksum_is_not_told_the_size_decides() {
    let world = World::new();
    locked(&world.bucket).keeps_checksums_back = true;
    process(&world.worker(), &world.id, "worker", 1).await;
    assert_eq!(world.export().state, State::Completed);
}

/// S3 completed the upload, and the worker died before it knew.
#[tokio::test]
async fn a_file_that_is_there_already_completes_the_export() {
    let world = World::new();
    locked(&world.bucket).loses_next_completion = true;
    let again = process(&world.worker(), &world.id, "worker", 1).await;
    assert_eq!(again, Disposition::Retry(Duration::from_secs(5)));
    assert!(world.file().is_some() && locked(&world.bucket).uploads.is_empty());
    assert_eq!(world.export().state, State::InProgress);

    assert_eq!(process(&world.worker(), &world.id, "worker-2", 2).await, Disposition::Acknowledge);
    let export = world.export();
    assert_eq!((export.state, export.row_count), (State::Completed, 3));
    assert_eq!(export.size_bytes, world.file().map(|file| file.len() as u64));
    assert_eq!(locked(&world.bucket).parts_sent, [1]);
}

#[tokio::test]
async fn an_upload_that_is_gone_without_a_file_fails_the_export() {
    let world = World::new();
    locked(&world.bucket).loses_next_completion = true;
    process(&world.worker(), &world.id, "worker", 1).await;
    locked(&world.bucket).files.clear();
    assert_eq!(process(&world.worker(), &world.id, "worker-2", 2).await, Disposition::Acknowledge);
    assert_eq!(world.export().state, State::Failed);
}

#[tokio::test]
async fn a_checkpoint_that_does_not_add_up_fails_the_export() {
    let mut world = large();
    fail_after(&mut world, 18);
    process(&world.worker(), &world.id, "worker", 1).await;
    world.recover();
    {
        let mut state = locked(&world.state);
        let checkpoint =
            state.export.get_mut("checkpoint").expect("a checkpoint").as_m().expect("a map").clone();
        let mut checkpoint = checkpoint;
        let mut counts = checkpoint["counts"].as_m().expect("a map").clone();
        counts.insert("written".to_owned(), number(1));
        checkpoint.insert("counts".to_owned(), aws_sdk_dynamodb::types::AttributeValue::M(counts));
        state.export.insert("checkpoint".to_owned(), aws_sdk_dynamodb::types::AttributeValue::M(checkpoint));
    }
    assert_eq!(process(&world.worker(), &world.id, "worker-2", 2).await, Disposition::Acknowledge);
    assert_eq!(world.export().state, State::Failed);
    assert!(world.file().is_none());
}
