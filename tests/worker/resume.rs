//! An export over several workers: the bytes come out the same.

use std::time::Duration;

use export_worker::Disposition;
use export_worker::sink::upload::MIN_PART_BYTES;
use integration_tests::files::{delete_file, open_uploads, parts_of, send_first_part};
use integration_tests::run;
use integration_tests::runs::Run;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::faults::{crc32, error, no_answer};
use crate::world::{World, let_pass};

/// Two whole parts are sent when so many pages of [`large`] are read, and not all of its pages.
pub const PAGES_OF_TWO_PARTS: usize = 22;

/// The runs of [`large`], and the bytes of the workbook id in each.
pub const LARGE_RUNS: u32 = 340;
pub const LARGE_ID_BYTES: u32 = 65_500;

pub fn large_request(request: &mut Value) {
    request["fields"] = json!(["run_id", "workbook_id"]);
    request["interval"]["end"] = "2025-02-28T23:59:59.999Z".into();
}

/// An export of two and a half parts, in four partitions of six pages. The tests share its runs, which they only read.
pub async fn large() -> World {
    static RUNS: OnceCell<World> = OnceCell::const_new();
    RUNS.get_or_init(write_large).await.another_export(large_request).await
}

async fn write_large() -> World {
    let mut world = World::without_runs(2, large_request).await;
    // A row has some 64 kB, so a part has some 128 rows, and a page just fits into DynamoDB's 1 MB.
    world.page_size = 15;
    let workbook_id = "w".repeat(LARGE_ID_BYTES as usize);
    let mut runs = Vec::new();
    for (workspace, month) in [(0, 1), (0, 2), (1, 1), (1, 2)] {
        for minute in 0..LARGE_RUNS / 4 {
            let start = format!("2025-{month:02}-03T{:02}:{:02}:00.000Z", minute / 60, minute % 60);
            let run = world.run(workspace, &start).with_id(&format!("run_{minute}"));
            runs.push(run.of(&workbook_id));
        }
    }
    world.org.write_runs(&runs).await;
    world
}

/// Reads fail for good after so many pages.
pub fn fail_after(world: &World, pages: usize) {
    world.faults.on("Query", move |call, nth| async move {
        if nth >= pages { error(400, "AccessDeniedException") } else { call.send().await }
    });
}

/// A worker sends two parts, then its reads fail. Gives the checkpoint that it leaves.
async fn interrupt(world: &World) -> Value {
    fail_after(world, PAGES_OF_TWO_PARTS);
    assert_eq!(world.process(1).await, Disposition::Retry(Duration::from_secs(5)));
    world.recover();
    let checkpoint = world.export().await["checkpoint"].clone();
    // The first one's checkpoint is saved when the second is cut.
    assert_eq!(checkpoint["parts"], json!([{"first": 1, "count": 1}]));
    checkpoint
}

fn upload_id(checkpoint: &Value) -> &str {
    checkpoint["upload_id"].as_str().unwrap()
}

pub async fn file_of_one_worker(world: &World) -> Vec<u8> {
    let world = world.another_export(large_request).await;
    assert_eq!(world.process(1).await, Disposition::Acknowledge);
    assert_eq!(world.parts_sent(), [1, 2, 3]);
    world.file().await.unwrap()
}

#[test]
fn a_second_worker_goes_on_where_the_first_saved() {
    run(async {
        let world = large().await;
        let checkpoint = interrupt(&world).await;
        // The second part was in flight when the reads failed: it may arrive, or not.
        assert_eq!(world.parts_sent(), [1, 2]);
        let part = &world.faults.sent("UploadPart")[0].body;
        assert!(part.len() >= MIN_PART_BYTES);
        assert_eq!(checkpoint["counts"]["bytes"], part.len());
        assert_eq!(checkpoint["crc32"], crc32fast::hash(part));
        let parts = parts_of(&world.org, &world.id, upload_id(&checkpoint)).await;
        assert_eq!(parts[0].checksum_crc32, Some(crc32(part)));

        let_pass(5);
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        let file = world.file().await.unwrap();
        assert!(file == file_of_one_worker(&world).await, "the bytes differ");
        assert_eq!(
            world.parts_sent()[2..],
            [10, 11],
            "the first part is not sent again, and the second under another number"
        );
        let export = world.export().await;
        assert_eq!((&export["state"], &export["epoch"]), (&json!("COMPLETED"), &json!(2)));
        assert_eq!(export["row_count"], LARGE_RUNS);
        assert_eq!(export["checksum"], format!("crc32:{:08x}", crc32fast::hash(&file)));
        assert_eq!(export["size_bytes"], file.len());
        world.manifest().await;
    });
}

/// Records that are left out, also behind the last that is written of a page or a month.
#[test]
fn nothing_is_counted_twice_when_records_are_left_out() {
    run(async {
        let mut world = World::without_runs(1, |_| ()).await;
        // Every page ends with records that are left out. A part has 43 rows of some 192 kB.
        world.page_size = 12;
        let user_id = "u".repeat(196_500);
        let run = |(second, workbook): (usize, &&str)| -> Run {
            let start = format!("2025-01-03T09:{:02}:{:02}.000Z", second / 60, second % 60);
            let run = world.run(0, &start).of(workbook);
            if *workbook == "wbk_1" { run.by(&user_id) } else { run }
        };
        let workbooks = ["wbk_1", "wbk_2", "wbk_2"];
        let runs: Vec<_> = workbooks.iter().cycle().take(300).enumerate().map(run).collect();
        world.org.write_runs(&runs).await;
        for more in [0, 200] {
            let ids: Vec<_> = ["wbk_1".to_owned()]
                .into_iter()
                .chain((0..more).map(|id| format!("wbk_more_{id:03}")))
                .collect();
            let change = |request: &mut Value| {
                request["fields"] = json!(["run_id", "user_id"]);
                request["scope"]["entity_ids"] = json!(ids);
            };
            let world = world.another_export(change).await;
            fail_after(&world, 23);
            assert_eq!(world.process(1).await, Disposition::Retry(Duration::from_secs(5)));
            assert!(world.export().await["checkpoint"].is_object());
            world.recover();
            let_pass(5);
            assert_eq!(world.process(2).await, Disposition::Acknowledge);
            let export = world.export().await;
            assert_eq!(export["state"], "COMPLETED", "{more} more ids");
            assert_eq!((&export["row_count"], &export["rows_read"]), (&json!(100), &json!(300)));
            assert_eq!(world.manifest().await["scope"]["entity_ids"], json!(ids));
        }
    });
}

#[test]
fn a_file_that_is_not_what_was_written_fails_the_export() {
    run(async {
        let world = large().await;
        let checkpoint = interrupt(&world).await;
        let mut part = world.faults.sent("UploadPart")[0].body.clone();
        part[7] ^= 1;
        send_first_part(&world.org, &world.id, upload_id(&checkpoint), &part).await;
        // The size is right; the checksum of the whole file is not.
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        let export = world.export().await;
        assert_eq!(export["state"], "FAILED");
        assert!(export["error"].as_str().unwrap().contains("did not add up"), "{export}");
        assert!(world.file().await.is_none(), "nobody can download it");
    });
}

/// As MiniStack does by itself.
#[test]
fn without_a_full_object_checksum_only_the_size_is_compared() {
    run(async {
        let world = World::new().await;
        world.faults.on("HeadObject", async |call, _| {
            let mut head = call.send().await?;
            head.headers_mut().insert("x-amz-checksum-type", "COMPOSITE");
            head.headers_mut().insert("x-amz-checksum-crc32", "AAAAAA==-1");
            Ok(head)
        });
        world.process(1).await;
        assert_eq!(world.export().await["state"], "COMPLETED");
        assert_eq!(world.faults.sent("HeadObject").len(), 1);
    });
}

/// S3 completes the upload, and the worker dies before it knows.
async fn lose_the_completion(world: &World) {
    world.was_claimed_before().await;
    world.faults.on("CompleteMultipartUpload", async |call, nth| {
        let completed = call.send().await?;
        // A second try may find no upload any more.
        assert!(nth > 0 || completed.status().is_success());
        no_answer()
    });
    assert_eq!(world.process(1).await, Disposition::Retry(Duration::from_secs(5)));
    world.recover();
    assert!(world.file().await.is_some());
    assert_eq!(open_uploads(&world.org, &world.id).await, Vec::<String>::new());
    assert_eq!(world.export().await["state"], "IN_PROGRESS");
}

#[test]
fn a_file_that_is_there_already_completes_the_export() {
    run(async {
        let world = World::new().await;
        lose_the_completion(&world).await;
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        let export = world.export().await;
        assert_eq!((&export["state"], &export["row_count"]), (&json!("COMPLETED"), &json!(3)));
        assert_eq!(export["size_bytes"], world.file().await.unwrap().len());
        world.manifest().await;
        assert_eq!(world.parts_sent(), [9]);
    });
}

#[test]
fn an_upload_that_is_gone_without_a_file_fails_the_export() {
    run(async {
        let world = World::new().await;
        lose_the_completion(&world).await;
        delete_file(&world.org, &world.id).await;
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["state"], "FAILED");
    });
}

#[test]
fn a_checkpoint_that_does_not_add_up_fails_the_export() {
    run(async {
        let world = large().await;
        let mut checkpoint = interrupt(&world).await;
        checkpoint["counts"]["written"] = 1.into();
        world.set("checkpoint", checkpoint).await;
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["state"], "FAILED");
        assert!(world.file().await.is_none());
    });
}
