//! An export whose file is one request: it makes few calls, and whatever becomes of the request, nothing is lost or mixed.

use std::sync::Arc;
use std::time::Duration;

use export_worker::Disposition;
use integration_tests::files::{delete_file, keys_of, open_uploads, replace_file};
use integration_tests::run;
use serde_json::json;
use tokio::sync::Notify;

use crate::faults::{answer, error, no_answer};
use crate::world::{World, let_pass, now};

/// What S3 answers while another request writes the same object.
const CONFLICT: &str = "<Error><Code>ConditionalRequestConflict</Code><Message>try again</Message></Error>";

/// Whether a request of `PutObject` is that of the file, and not of its manifest.
fn is_file(uri: &str) -> bool {
    uri.contains(".csv?")
}

#[test]
fn a_small_export_takes_three_requests_to_s3_and_no_checkpoint() {
    run(async {
        let world = World::new().await;
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.faults.sent("PutObject").len(), 2, "the file and its manifest");
        assert_eq!(world.faults.sent("HeadObject").len(), 1);
        for operation in ["CreateMultipartUpload", "ListParts", "ListObjectsV2", "ListMultipartUploads"] {
            assert_eq!(world.faults.sent(operation).len(), 0, "{operation}");
        }
        let export = world.export().await;
        assert_eq!((&export["state"], &export["s3_requests"]), (&json!("COMPLETED"), &json!(3)));
        assert!(export.get("progress_ts").is_none(), "{export}");
        world.manifest().await;
    });
}

#[test]
fn a_file_whose_answer_is_lost_is_recognised() {
    run(async {
        let world = World::new().await;
        world.faults.on("PutObject", async |call, nth| {
            let (of_file, answer) = (is_file(&call.sent.uri), call.send().await?);
            if of_file && nth < 2 { no_answer() } else { Ok(answer) }
        });
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.faults.sent("PutObject").len(), 3, "it was sent twice");
        let export = world.export().await;
        assert_eq!((&export["state"], &export["epoch"]), (&json!("COMPLETED"), &json!(1)));
        world.manifest().await;
    });
}

/// The next worker writes what is true by then.
#[test]
fn the_file_of_a_worker_that_died_is_replaced() {
    run(async {
        let world = World::new().await;
        world.faults.on("HeadObject", async |_, _| error(403, "AccessDenied"));
        assert_eq!(world.process(1).await, Disposition::Retry(Duration::from_secs(5)));
        let former = world.file().await.expect("the file");
        world.recover();
        world.org.write_runs(&[world.run(0, "2025-01-02T10:00:00.000Z").with_id("run_late")]).await;
        let_pass(5);
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        let export = world.export().await;
        assert_eq!((&export["state"], &export["row_count"]), (&json!("COMPLETED"), &json!(4)));
        assert!(world.file().await.unwrap().len() > former.len());
        world.manifest().await;
        assert_eq!(open_uploads(&world.org, &world.id).await, Vec::<String>::new());
        assert_eq!(keys_of(&world.org, &world.id).await.len(), 2, "the file and its manifest");
    });
}

/// The worker is frozen before its request leaves, and wakes up when another one has completed the export with another file.
#[test]
fn a_file_that_is_put_late_replaces_nothing() {
    run(async {
        let world = World::new().await;
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (is_there, goes_on) = (Arc::clone(&begun), Arc::clone(&go));
        world.faults.on("PutObject", move |call, _| {
            let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
            async move {
                if is_file(&call.sent.uri) {
                    begun.notify_one();
                    go.notified().await;
                }
                call.send().await
            }
        });
        let others = async {
            is_there.notified().await;
            world.org.write_runs(&[world.run(0, "2025-01-02T10:00:00.000Z").with_id("run_late")]).await;
            world.give_to_another(-1).await;
            let disposition = world.process(2).await;
            let file = world.file().await;
            goes_on.notify_one();
            (disposition, file)
        };
        let (first, (second, file)) = tokio::join!(world.process(1), others);
        assert_eq!(second, Disposition::Acknowledge);
        assert!(matches!(first, Disposition::Acknowledge | Disposition::Retry(_)), "{first:?}");
        assert_eq!(world.file().await, file);
        let export = world.export().await;
        assert_eq!((&export["state"], &export["row_count"]), (&json!("COMPLETED"), &json!(4)));
        world.manifest().await;
        assert_eq!(world.subjects().await.len(), 1);
    });
}

#[test]
fn a_file_that_is_not_what_was_written_fails_the_export() {
    run(async {
        let world = World::new().await;
        replace_file(&world.org, &world.id, b"run_id\r\n".to_vec()).await;
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["state"], "FAILED");
        assert!(world.file().await.is_none(), "nobody can download it");
    });
}

#[test]
fn a_file_that_is_gone_fails_the_export() {
    run(async {
        let world = World::new().await;
        let (org, id) = (world.org.clone(), world.id.clone());
        world.faults.on("HeadObject", move |call, _| {
            let (org, id) = (org.clone(), id.clone());
            async move {
                delete_file(&org, &id).await;
                call.send().await
            }
        });
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["state"], "FAILED");
    });
}

#[test]
fn a_file_that_s3_refuses_is_written_by_the_next_worker() {
    run(async {
        let world = World::new().await;
        world.faults.on("PutObject", async |call, _| {
            if is_file(&call.sent.uri) { answer(409, CONFLICT) } else { call.send().await }
        });
        assert_eq!(world.process(1).await, Disposition::Retry(Duration::from_secs(5)));
        assert!(world.file().await.is_none());
        world.recover();
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        assert_eq!(
            (world.export().await["state"].clone(), world.parts_sent()),
            (json!("COMPLETED"), vec![9])
        );
        assert_eq!(keys_of(&world.org, &world.id).await.len(), 2, "the file and its manifest");
    });
}

#[test]
fn an_export_that_is_cancelled_when_its_file_is_there_has_no_file() {
    run(async {
        let world = World::new().await;
        let (exports, id) = (world.worker().exports.clone(), world.id.clone());
        world.faults.on("HeadObject", move |call, _| {
            let (exports, id) = (exports.clone(), id.clone());
            async move {
                exports.cancel(&id, now()).await.unwrap();
                call.send().await
            }
        });
        world.process(1).await;
        world.recover();
        let_pass(61);
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        assert_eq!(world.export().await["state"], "FAILED");
        assert_eq!(keys_of(&world.org, &world.id).await, Vec::<String>::new());
    });
}
