//! What does not work when `ExportDataFunction` lacks a permission.

use integration_tests::api::{Answer, Call, as_caller};
use integration_tests::export::request;
use integration_tests::org::TestOrg;
use integration_tests::records::{id_of, new_record, put_record};
use integration_tests::system::now;
use serde_json::{Value, json};

use crate::common::{is, is_in, use_all_slots};
use crate::copy::FunctionCopy;

/// Whether that works for which the function needs this permission.
pub async fn works(copy: &FunctionCopy, permission: &str) -> bool {
    let org = TestOrg::create().await;
    let all_workspaces = json!({"include_all_workspaces": true});
    match permission {
        "dynamodb:GetItem DirectoryTable"
        | "dynamodb:PutItem ExportsTable"
        | "dynamodb:UpdateItem ExportsTable" => is(200, &post_export(copy, &org, &all_workspaces).await),
        "dynamodb:BatchGetItem DirectoryTable" => {
            let workspace = org.add_workspace("Sales").await;
            is(200, &post_export(copy, &org, &json!({"workspace_ids": [workspace]})).await)
        }
        "dynamodb:GetItem ExportsTable" | "dynamodb:PutItem AuditTable" => is(200, &cancel(copy, &org).await),
        "dynamodb:BatchGetItem ExportsTable" => {
            use_all_slots(&org).await;
            is(200, &post_export(copy, &org, &all_workspaces).await)
        }
        "logs:CreateLogStream ExportDataLogs"
        | "logs:PutLogEvents ExportDataLogs"
        | "sqs:SendMessage ExportQueue" => {
            let accepted = post_export(copy, &org, &all_workspaces).await.ok();
            is_in(&copy.queue_url, accepted["data_export_id"].as_str().unwrap()).await
        }
        other => panic!("no scenario for {other}"),
    }
}

async fn post_export(copy: &FunctionCopy, org: &TestOrg, more: &Value) -> Answer {
    copy.answer(&Call::export(&org.caller, &request(more))).await
}

/// Cancels an export that waits.
async fn cancel(copy: &FunctionCopy, org: &TestOrg) -> Answer {
    let record = new_record(org, &org.caller, now());
    put_record(&record).await;
    let body = as_caller(&org.caller, &json!({"data_export_id": id_of(&record)}));
    copy.answer(&Call::post("/cancel_export", body.to_string()).with_key(&org.caller.key)).await
}
