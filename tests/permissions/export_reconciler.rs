//! What does not work when `ExportReconcilerFunction` lacks a permission.

use chrono::TimeDelta;
use integration_tests::org::TestOrg;
use integration_tests::outbox::emails_of;
use integration_tests::records::{id_of, new_record, put_active, put_record, read_record, set_in_record};
use integration_tests::system::now;
use serde_json::{Value, json};

use crate::common::{handles, hides, message, put_message, wait_until_empty};
use crate::copy::FunctionCopy;
use crate::events::scheduled_event;

/// An export without progress for as long is given up.
const TOO_LONG: TimeDelta = TimeDelta::hours(7);

/// Before every export of another test is due, so that it is among the first that are found.
const LONG_AGO: &str = "2021-01-01T00:00:00.000Z";

/// Whether that works for which the function needs this permission.
pub async fn works(copy: &FunctionCopy, permission: &str) -> bool {
    match permission {
        "dynamodb:GetItem ExportsTable"
        | "dynamodb:UpdateItem ExportsTable"
        | "sqs:SendMessage ExportQueue"
        | "logs:CreateLogStream ExportReconcilerLogs"
        | "logs:PutLogEvents ExportReconcilerLogs" => handles(copy, &id_of(&forgotten_export().await)).await,
        "dynamodb:Query ExportsTable/index/by_check_ts" => finds_what_is_due(copy).await,
        "dynamodb:GetItem DirectoryTable" | "dynamodb:BatchGetItem DirectoryTable" => {
            tells_that_it_gives_up(copy).await
        }
        email if email.starts_with("ses:SendEmail ") => tells_that_it_gives_up(copy).await,
        "sqs:ReceiveMessage ExportDeadLetterQueue"
        | "sqs:DeleteMessage ExportDeadLetterQueue"
        | "sqs:GetQueueAttributes ExportDeadLetterQueue" => {
            let export = forgotten_export().await;
            put_message(&copy.dead_letter_queue_url, &message(&id_of(&export))).await;
            wait_until_empty(&copy.dead_letter_queue_url).await;
            has_been_looked_at(&export).await
        }
        "sqs:ChangeMessageVisibility ExportDeadLetterQueue" => {
            hides(copy, &copy.dead_letter_queue_url, "no export").await
        }
        other => panic!("no scenario for {other}"),
    }
}

/// An export whose message was lost.
async fn forgotten_export() -> Value {
    let org = TestOrg::create().await;
    put_requested(&org, new_record(&org, &org.caller, now())).await
}

async fn put_requested(org: &TestOrg, record: Value) -> Value {
    put_record(&record).await;
    put_active(org, vec![id_of(&record)]).await;
    record
}

/// Whether the time of the next look at an export is another one, or none because a worker has finished it meanwhile.
async fn has_been_looked_at(export: &Value) -> bool {
    read_record(&id_of(export)).await["check_ts"] != export["check_ts"]
}

async fn finds_what_is_due(copy: &FunctionCopy) -> bool {
    let mut export = forgotten_export().await;
    export["check_ts"] = LONG_AGO.into();
    set_in_record(&id_of(&export), "check_ts", &export["check_ts"]).await;
    let is_found = copy.invoke(&scheduled_event()).await.is_ok();
    // Without the permission too, if the deployed reconciler was faster.
    assert!(!is_found || has_been_looked_at(&export).await);
    is_found
}

async fn tells_that_it_gives_up(copy: &FunctionCopy) -> bool {
    let org = TestOrg::create().await;
    let workspace = org.add_workspace("Sales").await;
    let mut record = new_record(&org, &org.caller, now() - TOO_LONG);
    record["request"]["scope"]["workspace_ids"] = json!([workspace]);
    record["request"]["scope"]["all_workspaces"] = false.into();
    let id = id_of(&put_requested(&org, record).await);
    let is_done = handles(copy, &id).await;
    assert_eq!(read_record(&id).await["state"], "FAILED");
    let is_told = !emails_of(&id).await.is_empty();
    assert_eq!(is_told, is_done);
    is_told
}
