//! What does not work when `ExportWorkerFunction` lacks a permission.

use chrono::TimeDelta;
use integration_tests::files::{begin_file, keys_of, leave_tail, open_uploads};
use integration_tests::org::TestOrg;
use integration_tests::outbox::emails_of;
use integration_tests::random_id;
use integration_tests::records::{
    id_of, new_record, put_active_sets, put_record, read_record, set_in_record, timestamp,
};
use integration_tests::system::now;

use crate::common::{handles, hides, is_in, message, put_message, run_in, wait_until_empty};
use crate::copy::FunctionCopy;

/// The template's parameter `MaxRunningExports`.
const MAX_RUNNING_EXPORTS: usize = 3;

/// Whether that works for which the function needs this permission.
pub async fn works(copy: &FunctionCopy, permission: &str) -> bool {
    let (org, id) = requested_export().await;
    match permission {
        "dynamodb:Query UsageRecordsTable"
        | "dynamodb:BatchGetItem DirectoryTable"
        | "dynamodb:Query DirectoryTable"
        | "dynamodb:GetItem ExportsTable"
        | "dynamodb:UpdateItem ExportsTable"
        | "s3:PutObject ExportBucket/exports/*"
        | "s3:GetObject ExportBucket/exports/*"
        | "s3:ListMultipartUploadParts ExportBucket/exports/*"
        | "logs:CreateLogStream ExportWorkerLogs"
        | "logs:PutLogEvents ExportWorkerLogs" => completes(copy, &id).await,
        "dynamodb:BatchGetItem ExportsTable" => {
            // Those that are said to run are gone.
            let running = (0..MAX_RUNNING_EXPORTS).map(|_| random_id("gone")).collect();
            put_active_sets(&org, [vec![id.clone()], running, Vec::new()]).await;
            completes(copy, &id).await
        }
        "s3:DeleteObject ExportBucket/exports/*"
        | "s3:AbortMultipartUpload ExportBucket/exports/*"
        | "s3:ListBucket ExportBucket"
        | "s3:ListBucketMultipartUploads ExportBucket" => leaves_nothing_behind(copy, &org, &id).await,
        "sqs:SendMessage ExportQueue" => starts_the_next(copy, &org, &id).await,
        "sqs:ChangeMessageVisibility ExportQueue" => {
            // Another worker has it, so its message is to come later.
            set_in_record(&id, "state", &"IN_PROGRESS".into()).await;
            set_in_record(&id, "lease_until", &timestamp(now() + TimeDelta::seconds(50)).into()).await;
            hides(copy, &copy.queue_url, &message(&id)).await
        }
        "sqs:ReceiveMessage ExportQueue"
        | "sqs:DeleteMessage ExportQueue"
        | "sqs:GetQueueAttributes ExportQueue" => {
            put_message(&copy.queue_url, &message(&id)).await;
            wait_until_empty(&copy.queue_url).await;
            read_record(&id).await["state"] == "COMPLETED"
        }
        "dynamodb:GetItem DirectoryTable" => tells_the_owner(copy, &id).await,
        email if email.starts_with("ses:SendEmail ") => tells_the_owner(copy, &id).await,
        other => panic!("no scenario for {other}"),
    }
}

/// An export of one run whose message was not sent. A worker had it before: the next one makes its file with an upload, and looks for what the
/// first has left.
async fn requested_export() -> (TestOrg, String) {
    let org = TestOrg::create().await;
    let workspace = org.add_workspace("Sales").await;
    org.write_runs(&[run_in(&workspace)]).await;
    let record = new_record(&org, &org.caller, now());
    put_record(&record).await;
    set_in_record(&id_of(&record), "epoch", &1.into()).await;
    put_active_sets(&org, [vec![id_of(&record)], Vec::new(), Vec::new()]).await;
    (org, id_of(&record))
}

async fn completes(copy: &FunctionCopy, id: &str) -> bool {
    let is_done = handles(copy, id).await;
    assert_eq!(read_record(id).await["state"] == "COMPLETED", is_done);
    is_done
}

async fn leaves_nothing_behind(copy: &FunctionCopy, org: &TestOrg, id: &str) -> bool {
    // Of a worker that died.
    begin_file(org, id, b"a part").await;
    leave_tail(org, id).await;
    let is_done = handles(copy, id).await;
    assert_eq!(read_record(id).await["state"], "COMPLETED");
    let is_left = keys_of(org, id).await.iter().any(|key| key.starts_with("tail."));
    let is_clean = !is_left && open_uploads(org, id).await.is_empty();
    assert_eq!(is_clean, is_done);
    is_clean
}

async fn starts_the_next(copy: &FunctionCopy, org: &TestOrg, id: &str) -> bool {
    let next = random_id("next");
    put_active_sets(org, [vec![id.to_owned(), next.clone()], Vec::new(), vec![next.clone()]]).await;
    assert!(completes(copy, id).await);
    is_in(&copy.queue_url, &next).await
}

async fn tells_the_owner(copy: &FunctionCopy, id: &str) -> bool {
    let is_done = handles(copy, id).await;
    assert_eq!(read_record(id).await["state"], "COMPLETED");
    assert_eq!(emails_of(id).await.len(), usize::from(is_done));
    is_done
}
