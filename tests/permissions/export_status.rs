//! What does not work when `ExportStatusFunction` lacks a permission.

use integration_tests::api::{Answer, Call};
use integration_tests::org::TestOrg;

use crate::common::{completed_export, expired_export, is};
use crate::copy::FunctionCopy;

/// Whether that works for which the function needs this permission.
pub async fn works(copy: &FunctionCopy, permission: &str) -> bool {
    let (org, id) = completed_export().await;
    match permission {
        "dynamodb:GetItem DirectoryTable"
        | "dynamodb:GetItem ExportsTable"
        | "logs:CreateLogStream ExportStatusLogs"
        | "logs:PutLogEvents ExportStatusLogs" => is(200, &status(copy, org, id, "false").await),
        "dynamodb:BatchGetItem DirectoryTable" | "dynamodb:Query ExportsTable/index/by_organization" => {
            is(200, &history(copy, org, "false").await)
        }
        "dynamodb:Query ExportsTable/index/by_user" => is(200, &history(copy, org, "true").await),
        "s3:GetObject ExportBucket/exports/*" | "dynamodb:PutItem AuditTable" => {
            is(200, &status(copy, org, id, "true").await)
        }
        "dynamodb:Query AuditTable" => is(200, &audit(copy, org, &[]).await),
        "dynamodb:Query AuditTable/index/by_export" => {
            is(200, &audit(copy, org, &[("data_export_id", id)]).await)
        }
        "s3:ListBucket ExportBucket" => {
            let expired = expired_export(org).await;
            is(404, &status(copy, org, &expired, "true").await)
        }
        other if other.starts_with("dynamodb:UpdateItem ExportsTable if ") => refuses_a_noisy_key(copy).await,
        other => panic!("no scenario for {other}"),
    }
}

/// Whether a key that has made all of its requests elsewhere is refused here, once this function has told of some more. A window
/// may end meanwhile.
async fn refuses_a_noisy_key(copy: &FunctionCopy) -> bool {
    let org = TestOrg::create().await;
    org.use_up_requests(&org.caller.key).await;
    for _ in 0..50 {
        if history(copy, &org, "true").await.status == 429 {
            return true;
        }
    }
    false
}

async fn status(copy: &FunctionCopy, org: &TestOrg, id: &str, download: &str) -> Answer {
    let parameters = [("user_id", &*org.caller.user_id), ("data_export_id", id), ("download", download)];
    copy.answer(&Call::get("/export_status", &parameters).with_key(&org.caller.key)).await
}

async fn history(copy: &FunctionCopy, org: &TestOrg, mine: &str) -> Answer {
    let parameters = [("user_id", &*org.caller.user_id), ("mine", mine)];
    copy.answer(&Call::get("/exports", &parameters).with_key(&org.caller.key)).await
}

async fn audit(copy: &FunctionCopy, org: &TestOrg, more: &[(&str, &str)]) -> Answer {
    let parameters = [&[("user_id", &*org.caller.user_id)], more].concat();
    copy.answer(&Call::get("/audit", &parameters).with_key(&org.caller.key)).await
}
