//! What a person on call does: `docs/operations.md`. Keys are tested with who may do what, point-in-time recovery is AWS's.

use std::process::Command;

use chrono::TimeDelta;
use integration_tests::export::{request, wait_until_final};
use integration_tests::logs::{call, lines_with};
use integration_tests::org::TestOrg;
use integration_tests::outbox::{messages_in, send_message, wait_for_email};
use integration_tests::records::{
    abandoned, id_of, new_record, put_active, put_record, read_record, set_in_record, timestamp,
};
use integration_tests::runs::Run;
use integration_tests::system::{given, now, system};
use integration_tests::{random_id, wait_for, with_org};
use serde_json::{Value, json};

const GUIDE: &str = include_str!("../../docs/operations.md");

/// What `cargo xtask status` prints with these arguments.
fn status(args: &[&str]) -> String {
    let output = Command::new(given("USAGE_EXPORT_XTASK")).arg("status").args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn report() -> Value {
    serde_json::from_str(&status(&["--json"])).unwrap()
}

/// The entry of an export in a list of the report.
fn entry(report: &Value, list: &str, id: &str) -> Option<Value> {
    report[list].as_array().unwrap().iter().find(|export| export["data_export_id"] == id).cloned()
}

/// An export that looks as if its worker had died a moment ago, and nobody goes on with it: its message is lost.
async fn put_stuck(org: &TestOrg) -> String {
    let mut record = abandoned(new_record(org, &org.caller, now()), 2);
    // Not yet for the reconciler.
    record["check_ts"] = timestamp(now() + TimeDelta::minutes(30)).into();
    record["unsettled"] = "unsettled".into();
    let id = id_of(&record);
    put_record(&record).await;
    put_active(org, vec![id.clone()]).await;
    id
}

#[test]
fn the_status_shows_what_is_stuck_and_what_failed_and_nothing_that_is_private() {
    with_org(async |org| {
        org.set_name("Secret Name").await;
        let workspace = org.add_workspace("Secret Workspace").await;
        org.write_corrupt_run(&Run::new(&workspace, "2025-01-12T08:00:00.000Z")).await;
        let failed = org.post_export(&request(&json!({"include_all_workspaces": true}))).await;
        assert_eq!(wait_until_final(&org.caller, &failed).await["state"], "FAILED");
        wait_for_email(&failed).await;
        let stuck = put_stuck(&org).await;
        let report = report();
        let seen = entry(&report, "unfinished", &stuck).unwrap_or_else(|| panic!("{report}"));
        assert_eq!(seen["standing"], "waits_for_worker", "{seen}");
        assert_eq!((&seen["attempts"], &seen["state"]), (&json!(2), &json!("IN_PROGRESS")), "{seen}");
        assert_eq!(entry(&report, "failed", &failed).unwrap()["reason"], "bad_record");
        assert!(report["queues"]["exports"]["visible"].is_u64());
        let text = status(&[]);
        assert!(text.contains(&stuck) && text.contains("waits for worker"), "{text}");
        for private in ["Secret", &org.admin.email, &org.caller.key, &org.caller.user_id] {
            assert!(!text.contains(private) && !report.to_string().contains(private), "{private}: {text}");
        }
        // The procedure for a stuck export: its message once more.
        send_message(&stuck).await;
        wait_until_final(&org.caller, &stuck).await;
    });
}

/// The body of a message, sent back to the queue, does what a redrive does.
#[test]
fn a_message_of_the_dead_letter_queue_can_be_sent_back() {
    with_org(async |org| {
        let stuck = put_stuck(&org).await;
        // The reconciler takes it out at once and sends it to the worker, as it was not for the record's own time.
        set_in_record(&stuck, "check_ts", &json!(timestamp(now() - TimeDelta::minutes(1)))).await;
        let body = json!({"data_export_id": stuck}).to_string();
        let (sqs, dlq) = (&system().sqs, &system().outputs.dlq_url);
        sqs.send_message().queue_url(dlq).message_body(body).send().await.unwrap();
        wait_until_final(&org.caller, &stuck).await;
        wait_for("an empty dead-letter queue", async || {
            (!messages_in(dlq).await.iter().any(|message| message.to_string().contains(&stuck))).then_some(())
        })
        .await;
    });
}

/// A deployment that went back has an earlier version beside records of a later one.
#[test]
fn a_reason_of_a_later_version_hides_no_export() {
    with_org(async |org| {
        let stuck = put_stuck(&org).await;
        send_message(&stuck).await;
        wait_until_final(&org.caller, &stuck).await;
        set_in_record(&stuck, "failure", &json!("of_tomorrow")).await;
        assert_eq!(read_record(&stuck).await["failure"], "of_tomorrow");
        wait_until_final(&org.caller, &stuck).await;
    });
}

/// The query of the guide, as it stands there.
#[test]
fn the_query_of_the_guide_finds_all_lines_about_one_export() {
    with_org(async |org| {
        let id = org.post_export(&request(&json!({"include_all_workspaces": true}))).await;
        org.finished_export(&id).await;
        wait_for_email(&id).await;
        let query = GUIDE.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
        let query = query.replace("019a…", &id);
        let groups = call("DescribeLogGroups", json!({})).await;
        let groups: Vec<_> =
            groups["logGroups"].as_array().unwrap().iter().map(|group| &group["logGroupName"]).collect();
        let expected = lines_with(&id).await.len();
        let started = json!({
            "logGroupNames": groups, "queryString": query, "limit": 1000,
            "startTime": (now() - TimeDelta::hours(1)).timestamp(), "endTime": (now() + TimeDelta::hours(1)).timestamp(),
        });
        let started = call("StartQuery", started).await;
        let results = wait_for("the query", async || {
            let results = call("GetQueryResults", json!({"queryId": started["queryId"]})).await;
            (results["status"] == "Complete").then_some(results)
        })
        .await;
        let found = results["results"].as_array().unwrap().len();
        assert!(found >= 3 && found >= expected, "{found} of {expected}: {results}");
    });
}

/// What the gateway logs of a request has nothing of it.
#[test]
fn the_gateway_logs_no_query_and_no_key() {
    with_org(async |org| {
        let mark = random_id("mark");
        let query = [("user_id", org.caller.user_id.as_str()), ("cursor", &mark)];
        integration_tests::api::Call::get("/exports", &query).with_key(&org.caller.key).send().await;
        assert_eq!(lines_with(&mark).await, Vec::<String>::new());
    });
}
