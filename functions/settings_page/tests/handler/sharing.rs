//! An export of another administrator, where administrators share their files and where they do not.

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_s3::Client as S3;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_smithy_mocks::{Rule, mock};
use chrono::TimeDelta;
use serde_json::json;
use usage_export::export::request::ExportCall;
use usage_export::export::{DataExport, State};

use crate::support::{answer, answer_shared, directory, form, no_exports, now, request, request_for};

const ID: &str = "0199a5f0-0000-7000-8000-000000000001";

/// A colleague's export, completed.
fn theirs() -> DataExport {
    let body = json!({
        "user_id": "usr_grace", "export_fields": ["run_id"], "start_date": "2025-10-01",
        "end_date": "2025-10-31", "include_all_workspaces": true,
    });
    let request = ExportCall::parse(body.to_string().as_bytes()).expect("a request").request;
    DataExport {
        data_export_id: ID.to_owned(),
        state: State::Completed,
        row_count: 5,
        size_bytes: Some(500),
        checksum: Some("crc32:00000007".to_owned()),
        etag: Some("\"1\"".to_owned()),
        expires_ts: Some(now() + TimeDelta::days(29)),
        ..DataExport::new("org_1", "usr_grace", request, now() - TimeDelta::days(1))
    }
}

/// The table of exports has this export only, and the directory the colleague.
fn tables() -> [Rule; 4] {
    let item = || serde_dynamo::aws_sdk_dynamodb_1::to_item(theirs()).expect("an item");
    let is_of_it = |id: Option<&aws_sdk_dynamodb::types::AttributeValue>| {
        id.is_some_and(|id| id.as_s() == Ok(&ID.to_owned()))
    };
    [
        mock!(DynamoDb::get_item)
            .match_requests(move |get| is_of_it(get.key().and_then(|key| key.get("data_export_id"))))
            .then_output(move || GetItemOutput::builder().set_item(Some(item())).build()),
        directory(),
        mock!(DynamoDb::query)
            .match_requests(|query| query.table_name() == Some("exports"))
            .then_output(move || QueryOutput::builder().set_items(Some(vec![item()])).build()),
        mock!(DynamoDb::batch_get_item).then_output(|| BatchGetItemOutput::builder().build()),
    ]
}

#[tokio::test]
async fn a_shared_file_is_downloaded_by_every_administrator() {
    let rules: Vec<_> = tables().into_iter().chain([no_exports()]).collect();
    let download = format!("/exports/{ID}/download");
    let history = answer_shared(request(|_| ()), &rules, &[]).await;
    assert!(history.text.contains(&format!("{download}\"")), "{}", history.text);
    let details = answer_shared(request_for("GET", &format!("/exports/{ID}")), &rules, &[]).await;
    assert!(details.text.contains(&format!("{download}\"")), "{}", details.text);
    let head = mock!(S3::head_object)
        .then_output(|| HeadObjectOutput::builder().content_length(500).e_tag("\"1\"").build());
    // The URL is only signed, but the mock asks for a rule.
    let get = mock!(S3::get_object).then_output(|| GetObjectOutput::builder().build());
    let file = answer_shared(request_for("GET", &download), &rules, &[&head, &get]).await;
    assert_eq!(file.status, 302, "{}", file.text);
    let location = file.headers["location"].to_str().expect("text");
    assert!(location.contains("X-Amz-Signature"), "{location}");

    // Without the setting it is seen, and no more.
    let history = answer(request(|_| ()), &rules).await;
    assert!(history.text.contains(ID) && !history.text.contains(&download), "{}", history.text);
    assert_eq!(answer(request_for("GET", &download), &rules).await.status, 403);
}

#[tokio::test]
async fn sharing_files_lets_nobody_cancel_anothers_export() {
    let refused = answer_shared(form(&format!("/exports/{ID}/cancel"), ""), &tables(), &[]).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert!(refused.text.contains("Only the administrator who asked for an export can cancel it."));
}
