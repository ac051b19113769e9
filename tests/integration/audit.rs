//! The audit trail: `GET /audit`, its CSV and its page.

use serde_json::{Value, json};

use integration_tests::api::{Answer, Call, as_caller, get_status, post_export};
use integration_tests::export::request;
use integration_tests::org::{Caller, TestOrg};
use integration_tests::page::Visitor;
use integration_tests::records::{id_of, new_record, put_record};
use integration_tests::system::{now, system};
use integration_tests::{wait_for, with_org};

async fn get_audit(caller: &Caller, more: &[(&str, &str)]) -> Answer {
    let parameters = [&[("user_id", &*caller.user_id)], more].concat();
    Call::get("/audit", &parameters).with_key(&caller.key).send().await
}

/// All events of an organization, newest first.
async fn events(caller: &Caller) -> Vec<Value> {
    let (mut events, mut cursor) = (Vec::new(), String::new());
    loop {
        let parameters = [("cursor", &*cursor)];
        let page = get_audit(caller, if cursor.is_empty() { &[] } else { &parameters }).await.ok();
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return events,
        }
    }
}

async fn download(caller: &Caller, id: &str) -> Answer {
    let parameters = [("user_id", &*caller.user_id), ("data_export_id", id), ("download", "true")];
    Call::get("/export_status", &parameters).with_key(&caller.key).send().await
}

async fn cancel(caller: &Caller, id: &str) -> Answer {
    let body = as_caller(caller, &json!({"data_export_id": id})).to_string();
    Call::post("/cancel_export", body).with_key(&caller.key).send().await
}

/// The types of some events, the oldest first.
fn types(events: &[Value]) -> Vec<&str> {
    events.iter().rev().map(|event| event["event_type"].as_str().unwrap()).collect()
}

/// Today and the day around it: a test may run at midnight.
fn days() -> [(&'static str, String); 2] {
    let day = |days| (now() + chrono::TimeDelta::days(days)).date_naive().to_string();
    [("start_date", day(-1)), ("end_date", day(1))]
}

#[test]
fn who_did_what_is_told_to_every_administrator_and_to_nobody_else() {
    with_org(async |org| {
        let colleague = org.add_admin().await;
        let id = org.export(&request(&json!({"include_all_workspaces": true}))).await.id;
        assert_eq!(download(&org.caller, &id).await.status, 200);
        download(&colleague, &id).await.assert_problem(403, &["data_export_id"]);
        let waiting = id_of(&put_waiting(&org).await);
        for _ in 0..2 {
            cancel(&org.caller, &waiting).await.ok();
        }
        // Looking is no event, and what nobody with a key has done is nobody's.
        get_status(&org.caller, &id).await.ok();
        Call::get("/exports", &[("user_id", "usr")]).send().await.assert_problem(401, &[]);

        let events = events(&colleague).await;
        // `org.export` takes the file and its manifest, too.
        let expected = [
            "export_requested",
            "export_downloaded",
            "manifest_downloaded",
            "export_downloaded",
            "request_refused",
            "export_cancelled",
        ];
        assert_eq!(types(&events), expected, "{events:?}");
        let [cancelled, refused, downloaded, ..] = &events[..] else { panic!("{events:?}") };
        assert_eq!(cancelled["data_export_id"], *waiting);
        assert_eq!(
            (&downloaded["data_export_id"], &downloaded["user_id"]),
            (&json!(id), &json!(org.caller.user_id))
        );
        assert_eq!(downloaded["user_email"], org.admin.email);
        assert!(downloaded["source_ip"].is_string(), "{downloaded}");
        assert_eq!(
            (&refused["user_id"], &refused["details"]["status"]),
            (&json!(colleague.user_id), &json!(403))
        );
        assert_eq!(refused["details"]["action"], "GET /export_status");
        for event in &events {
            let text = event["details"].to_string();
            for secret in [&org.caller.key, &colleague.key, &org.admin.email] {
                assert!(!text.contains(secret.as_str()), "{text}");
            }
        }
        let stranger = TestOrg::create().await;
        assert_eq!(self::events(&stranger.caller).await, Vec::<Value>::new());
        let of_export = get_audit(&stranger.caller, &[("data_export_id", &id)]).await.ok();
        assert_eq!(of_export["events"], json!([]));
    });
}

async fn put_waiting(org: &TestOrg) -> Value {
    let record = new_record(org, &org.caller, now());
    put_record(&record).await;
    record
}

#[test]
fn a_key_that_was_revoked_is_found_in_the_trail() {
    with_org(async |org| {
        let caller = org.add_admin().await;
        org.revoke_key(&caller.key).await;
        post_export(&caller, &request(&json!({"include_all_workspaces": true})))
            .await
            .assert_problem(401, &[]);
        let events = events(&org.caller).await;
        let [refused] = &events[..] else { panic!("{events:?}") };
        assert_eq!(
            (&refused["user_id"], &refused["details"]["status"]),
            (&json!(caller.user_id), &json!(401))
        );
        assert_eq!(refused["details"]["key"].as_str().unwrap().len(), 16, "{refused}");
    });
}

#[test]
fn a_repetition_is_no_second_event() {
    with_org(async |org| {
        let body = as_caller(&org.caller, &request(&json!({"include_all_workspaces": true}))).to_string();
        let call = || {
            let call = Call::post("/export_data", body.clone()).with_key(&org.caller.key);
            call.with_header("idempotency-key", &org.id)
        };
        let answers = futures::future::join_all((0..4).map(|_| call().send())).await;
        let ids: Vec<_> = answers.into_iter().map(|answer| answer.ok()["data_export_id"].clone()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        org.finished_export(ids[0].as_str().unwrap()).await;
        let events = events(&org.caller).await;
        let requested = events.iter().filter(|event| event["event_type"] == "export_requested");
        assert_eq!(requested.count(), 1, "{events:?}");
    });
}

#[test]
fn pages_have_every_event_once_and_the_file_has_them_all() {
    with_org(async |org| {
        for _ in 0..120 {
            let answer = download(&org.caller, "00000000-0000-7000-8000-000000000000").await;
            answer.assert_problem(404, &["data_export_id"]);
        }
        let events = events(&org.caller).await;
        let mut ids: Vec<_> = events.iter().map(|event| event["log_id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 120);
        let times: Vec<_> = events.iter().map(|event| event["timestamp"].as_str().unwrap()).collect();
        assert!(times.is_sorted_by(|one, other| one >= other), "{times:?}");

        let [start, end] = days();
        let days = [(start.0, &*start.1), (end.0, &*end.1), ("download", "true")];
        let csv = get_audit(&org.caller, &days).await;
        assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"));
        let mut reader = csv::Reader::from_reader(&csv.body[..]);
        assert_eq!(
            reader.headers().unwrap().iter().collect::<Vec<_>>(),
            [
                "log_id",
                "timestamp",
                "event_type",
                "user_id",
                "user_email",
                "source_ip",
                "workspace_id",
                "details"
            ]
        );
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        let mut of_file: Vec<_> = rows.iter().map(|row| &row[0]).collect();
        ids.sort_unstable();
        of_file.sort_unstable();
        assert_eq!(of_file, ids);
        assert_eq!(&rows[0][4], org.admin.email.as_str());
        let newest = &self::events(&org.caller).await[0];
        assert_eq!(newest["event_type"], "audit_trail_downloaded", "{newest}");
        let earlier = [("start_date", "2020-01-01"), ("end_date", "2020-12-31"), ("download", "true")];
        assert_eq!(get_audit(&org.caller, &earlier).await.text().lines().count(), 1, "a header row");
    });
}

#[test]
fn the_page_tells_who_downloaded_a_file_and_how_often() {
    with_org(async |org| {
        let id = org.export(&request(&json!({"include_all_workspaces": true}))).await.id;
        let visitor = Visitor::sign_in(&org.caller).await;
        for _ in 0..2 {
            assert_eq!(visitor.get(&format!("/exports/{id}/download")).await.status, 302);
        }
        let details = wait_for("the index has all downloads", async || {
            let details = visitor.get(&format!("/exports/{id}")).await.text();
            details.contains("3 times").then_some(details)
        })
        .await;
        assert!(details.contains(&org.admin.email) && details.contains("Downloaded by"), "{details}");
        let refused = Visitor::sign_in(&org.add_admin().await).await;
        assert_eq!(refused.get(&format!("/exports/{id}/download")).await.status, 403);
        let page = visitor.get("/audit").await.text();
        for shown in ["Requested an export", "Downloaded a file", "Signed in", "Was refused", &id] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        let [start, end] = days();
        let csv = visitor.get(&format!("/audit/download?start_date={}&end_date={}", start.1, end.1)).await;
        assert_eq!(csv.status, 200, "{}", csv.text());
        assert!(csv.text().contains("request_refused") && csv.text().contains(&id), "{}", csv.text());
        let malformed = visitor.get("/audit/download?start_date=soon&end_date=2025-01-01").await;
        assert!(
            malformed.status == 400 && malformed.text().contains("The first day"),
            "{}",
            malformed.text()
        );
    });
}

/// No function may: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html> ends an event.
#[test]
fn an_event_has_the_end_of_its_days() {
    with_org(async |org| {
        download(&org.caller, "00000000-0000-7000-8000-000000000000")
            .await
            .assert_problem(404, &["data_export_id"]);
        let found = system()
            .dynamodb
            .query()
            .table_name(&system().outputs.tables.audit)
            .key_condition_expression("organization_id = :organization")
            .expression_attribute_values(
                ":organization",
                aws_sdk_dynamodb::types::AttributeValue::S(org.id.clone()),
            )
            .send()
            .await
            .unwrap();
        let ttl: i64 = found.items()[0]["ttl"].as_n().unwrap().parse().unwrap();
        let days = (ttl - now().timestamp()) / 86_400;
        assert!((399..=400).contains(&days), "{days}");
    });
}
