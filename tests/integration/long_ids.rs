//! Ids that are longer than any key of a table: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>.
//! DynamoDB refuses a call that names one, and every other key of that call.

use integration_tests::api::{Call, as_caller, get_history, get_status, post_export};
use integration_tests::export::request;
use integration_tests::org::Caller;
use integration_tests::runs::Run;
use integration_tests::with_org;
use serde_json::json;

/// Longer than a partition key, and only longer than a sort key.
const LENGTHS: [usize; 2] = [2_100, 1_100];

#[test]
fn a_long_id_in_a_request_is_refused() {
    with_org(async |org| {
        let key = org.add_organization_key().await;
        for length in LENGTHS {
            let id = "x".repeat(length);
            get_status(&org.caller, &id).await.assert_problem(400, &["data_export_id"]);
            let body = json!({"user_id": org.caller.user_id, "data_export_id": id});
            let cancel = Call::post("/cancel_export", body.to_string()).with_key(&org.caller.key);
            cancel.send().await.assert_problem(400, &["data_export_id"]);
            for name in ["workspace_ids", "entity_ids"] {
                let body = request(&json!({name: [id]}));
                post_export(&org.caller, &body).await.assert_problem(400, &[name]);
            }
            let stranger = Caller { user_id: id, key: key.clone() };
            get_history(&stranger, None).await.assert_problem(400, &["user_id"]);
            let body = as_caller(&stranger, &request(&json!({"include_all_workspaces": true})));
            let post = Call::post("/export_data", body.to_string()).with_key(&key);
            post.send().await.assert_problem(400, &["user_id"]);
        }
    });
}

#[test]
fn a_long_id_in_a_record_has_no_name() {
    with_org(async |org| {
        let workspace = org.add_workspace("Sales").await;
        for length in LENGTHS {
            let id = "x".repeat(length);
            org.write_runs(&[Run::new(&workspace, "2025-01-10T08:00:00.000Z").of(&id).by(&id)]).await;
        }
        // Compared with the oracle: every id as it is, and no name.
        let export = org.assert_export(&request(&json!({"workspace_ids": [workspace]}))).await;
        assert_eq!(export.status["row_count"], LENGTHS.len());
    });
}
