//! `GET /export_status` and `GET /exports` as API Gateway sends them, with DynamoDB and S3 answering from rules.

mod audit;
mod download;
mod support;

use chrono::TimeDelta;
use serde_json::json;
use usage_export::config::Sharing;
use usage_export::export::{DataExport, State};

use support::{
    CSV, HISTORY, STATUS, answer, answer_with, assert_problem, download, export, gets, now, request,
};

#[tokio::test]
async fn the_status_is_answered_in_every_state() {
    for state in [State::Requested, State::InProgress, State::Completed, State::Failed] {
        let finished_ts = Some(now()).filter(|_| state.is_final());
        let export = DataExport { state, finished_ts, ..export() };
        let answer = answer(request(STATUS, &[]), Some(&export), &[]).await;
        let body = answer.json();
        assert_eq!((answer.status, body["state"].as_str()), (200, Some(state.name())), "{body}");
        assert_eq!(body["data_export_id"], export.data_export_id);
        assert_eq!(body["created_ts"], "2025-11-22T12:13:20.000Z");
        assert_eq!(body.get("finished_ts").is_some(), state.is_final(), "{body}");
        for kept_back in ["organization_id", "request", "lease_until", "checkpoint", "ttl"] {
            assert!(body.get(kept_back).is_none(), "{kept_back} in {body}");
        }
    }
}

#[tokio::test]
async fn the_speed_is_told_while_the_export_runs() {
    for state in [State::Requested, State::InProgress, State::Completed, State::Failed] {
        let export = DataExport {
            state,
            rows_per_second: Some(8_100),
            estimated_finish_ts: Some(now() + TimeDelta::seconds(90)),
            ..export()
        };
        let body = answer(request(STATUS, &[]), Some(&export), &[]).await.json();
        let expected = (state == State::InProgress).then(|| json!([8_100, "2025-11-23T12:14:50.000Z"]));
        let told = body.get("rows_per_second").zip(body.get("estimated_finish_ts"));
        assert_eq!(told.map(|(rows, finish_ts)| json!([rows, finish_ts])), expected, "{body}");
    }
}

#[tokio::test]
async fn only_the_export_owner_sees_the_status() {
    let id = Some("data_export_id");
    assert_problem(&answer(request(STATUS, &[]), None, &[]).await, 404, id);
    for other in [
        DataExport { user_id: "usr_other".to_owned(), ..export() },
        DataExport { organization_id: "org_2".to_owned(), ..export() },
    ] {
        assert_problem(&answer(download(), Some(&other), &[]).await, 403, id);
    }
}

#[tokio::test]
async fn a_refusal_names_the_field_at_fault() {
    for (query, field) in [
        (("data_export_id", ""), "data_export_id"),
        (("user_id", ""), "user_id"),
        (("download", "maybe"), "download"),
    ] {
        assert_problem(&answer(request(STATUS, &[query]), None, &[]).await, 400, Some(field));
    }
    let mut without_key = request(STATUS, &[]);
    without_key.headers_mut().remove("authorization");
    let answer = answer(without_key, None, &[]).await;
    assert_problem(&answer, 401, None);
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn the_history_lists_exports_and_refuses_a_foreign_cursor() {
    let page = answer(request(HISTORY, &[]), Some(&export()), &[]).await.json();
    assert_eq!(page["exports"][0]["data_export_id"], export().data_export_id);
    assert_eq!(page["exports"][0]["user_id"], "usr_example");
    assert_eq!(page["exports"][0]["user_email"], "ada@example.com");
    assert!(page.get("next_cursor").is_none());
    let unclear = answer(request(HISTORY, &[("mine", "yes")]), None, &[]).await;
    assert_problem(&unclear, 400, Some("mine"));
    let foreign = answer(request(HISTORY, &[("cursor", "ACTIVE%23org_1")]), None, &[]).await;
    assert_problem(&foreign, 400, Some("cursor"));
}

#[tokio::test]
async fn another_administrators_export_is_open_only_where_files_are_shared() {
    let theirs = DataExport { user_id: "usr_other".to_owned(), ..export() };
    let shared = Sharing { download_all: true };
    let refused = answer(request(STATUS, &[]), Some(&theirs), &[]).await;
    assert_problem(&refused, 403, Some("data_export_id"));
    let status = answer_with(shared, request(STATUS, &[]), Some(&theirs), &[]).await;
    assert_eq!((status.status, status.json()["state"].clone()), (200, json!("COMPLETED")));
    let file = answer_with(shared, download(), Some(&theirs), &[&gets(CSV)]).await;
    assert_eq!(file.status, 200);
    // Another organization's stays closed.
    let foreign = DataExport { organization_id: "org_2".to_owned(), ..theirs };
    let refused = answer_with(shared, request(STATUS, &[]), Some(&foreign), &[]).await;
    assert_problem(&refused, 403, Some("data_export_id"));
}
