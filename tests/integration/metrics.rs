//! The metrics of real exports, read back from the logs of the functions.

use std::collections::BTreeMap;

use chrono::DateTime;
use integration_tests::export::{request, wait_until_final};
use integration_tests::logs::metrics_of;
use integration_tests::org::TestOrg;
use integration_tests::outbox::{emails_of, send_message, wait_for_email, wait_until_handled};
use integration_tests::records::{abandoned, id_of, new_record, put_active, put_record, read_record};
use integration_tests::runs::Run;
use integration_tests::system::now;
use integration_tests::{wait_for, with_org};
use serde_json::{Value, json};

use crate::cancel::cancel;

/// How often each metric was written about an export, and the sum of its figures.
#[derive(Debug, Default)]
struct Written {
    by_name: BTreeMap<String, (usize, u64)>,
    reasons: Vec<String>,
}

impl Written {
    async fn about(id: &str) -> Self {
        let mut written = Self::default();
        for line in metrics_of(id).await {
            assert_eq!(line["Stack"], "usage-data-export", "{line}");
            let [directive] = &line["_aws"]["CloudWatchMetrics"].as_array().unwrap()[..] else {
                panic!("{line}")
            };
            assert_eq!(directive["Namespace"], "UsageDataExport");
            for dimension in
                directive["Dimensions"].as_array().unwrap().iter().flat_map(|set| set.as_array().unwrap())
            {
                assert!(["Stack", "Reason"].contains(&dimension.as_str().unwrap()), "{line}");
                assert!(line[dimension.as_str().unwrap()].is_string(), "{line}");
            }
            written.reasons.extend(line["Reason"].as_str().map(str::to_owned));
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap();
                let (times, sum) = written.by_name.entry(name.to_owned()).or_default();
                *times += 1;
                *sum += line[name].as_u64().unwrap_or_else(|| panic!("{name} of {line}"));
            }
        }
        written
    }

    /// Waits until a metric was written about an export.
    async fn with(id: &str, name: &str) -> Self {
        let written = async || Some(Self::about(id).await).filter(|written| written.times(name) > 0);
        wait_for("a metric", written).await
    }

    fn times(&self, name: &str) -> usize {
        self.by_name.get(name).map_or(0, |(times, _)| *times)
    }

    fn sum(&self, name: &str) -> u64 {
        self.by_name.get(name).map_or(0, |(_, sum)| *sum)
    }

    fn assert_once(&self, names: &[&str]) {
        for name in names {
            assert_eq!(self.times(name), 1, "{name} of {self:?}");
        }
    }

    fn assert_never(&self, names: &[&str]) {
        for name in names {
            assert_eq!(self.times(name), 0, "{name} of {self:?}");
        }
    }
}

fn millis_between(status: &Value, from: &str, to: &str) -> u64 {
    let at = |name: &str| DateTime::parse_from_rfc3339(status[name].as_str().unwrap()).unwrap();
    u64::try_from((at(to) - at(from)).num_milliseconds()).unwrap()
}

async fn fill(org: &TestOrg) -> String {
    let workspace = org.add_workspace("Sales").await;
    org.write_runs_at(&workspace, &["2025-01-10T08:00:00.000Z", "2025-01-11T08:00:00.000Z"]).await;
    workspace
}

#[test]
fn a_completed_export_is_counted_once_whatever_is_delivered() {
    with_org(async |org| {
        fill(&org).await;
        let id = org.post_export(&request(&json!({"include_all_workspaces": true}))).await;
        for _ in 0..2 {
            send_message(&id).await;
        }
        let export = org.finished_export(&id).await;
        wait_for_email(&id).await;
        send_message(&id).await;
        wait_until_handled(&id).await;
        let written = Written::with(&id, "EmailsSent").await;
        let (record, status) = (read_record(&id).await, &export.status);
        for (name, figure) in [
            ("ExportsAccepted", 1),
            ("ExportsStarted", 1),
            ("ExportsCompleted", 1),
            ("EmailsSent", 1),
            ("Rows", export.rows().len() as u64),
            ("Bytes", export.file.len() as u64),
            ("Duration", millis_between(status, "created_ts", "finished_ts")),
            ("WorkerTime", record["worker_ms"].as_u64().unwrap()),
            ("S3Requests", record["s3_requests"].as_u64().unwrap()),
            ("ReadUnits", record["read_units"].as_u64().unwrap()),
        ] {
            written.assert_once(&[name]);
            assert_eq!(written.sum(name), figure, "{name} of {written:?}");
        }
        assert_eq!(export.rows().len(), 2);
        assert!(written.times("QueueWait") == 1 && written.sum("QueueWait") <= written.sum("Duration"));
        written.assert_never(&["ExportsFailed", "ExportsCancelled", "EmailsRefused", "EmailsLost"]);
    });
}

#[test]
fn a_failed_export_is_counted_by_its_reason() {
    with_org(async |org| {
        let workspace = fill(&org).await;
        let record = abandoned(new_record(&org, &org.caller, now()), 5);
        let interrupted = id_of(&record);
        put_record(&record).await;
        put_active(&org, vec![interrupted.clone()]).await;
        send_message(&interrupted).await;
        assert_eq!(wait_until_final(&org.caller, &interrupted).await["state"], "FAILED");
        org.write_corrupt_run(&Run::new(&workspace, "2025-01-12T08:00:00.000Z")).await;
        let corrupt = org.post_export(&request(&json!({"include_all_workspaces": true}))).await;
        assert_eq!(wait_until_final(&org.caller, &corrupt).await["state"], "FAILED");
        for (id, reason) in [(interrupted, "interrupted"), (corrupt, "bad_record")] {
            let written = Written::with(&id, "EmailsSent").await;
            written.assert_once(&["ExportsFailed", "EmailsSent"]);
            written.assert_never(&["ExportsCompleted", "ExportsCancelled", "Rows"]);
            assert_eq!(written.reasons, [reason]);
            assert_eq!(read_record(&id).await["failure"], reason);
        }
    });
}

#[test]
fn a_cancelled_export_is_no_failure() {
    with_org(async |org| {
        // Its message is lost.
        let record = new_record(&org, &org.caller, now());
        let id = id_of(&record);
        put_record(&record).await;
        put_active(&org, vec![id.clone()]).await;
        for _ in 0..2 {
            cancel(&org.caller, &id).await.ok();
        }
        let written = Written::with(&id, "EmailsSent").await;
        written.assert_once(&["ExportsCancelled"]);
        written.assert_never(&["ExportsFailed", "ExportsStarted", "ExportsCompleted"]);
        assert_eq!(read_record(&id).await["failure"], "cancelled");
    });
}

#[test]
fn an_email_that_is_refused_is_counted_and_so_is_the_one_that_is_sent_after_all() {
    with_org(async |org| {
        fill(&org).await;
        // The emulator answers 500, as SES does when it is broken; docs/ministack/ses_malformed_address.py shows it.
        org.set_email(&org.caller.user_id, "ada@example.com\nBcc: x").await;
        let id = org.post_export(&request(&json!({"include_all_workspaces": true}))).await;
        let refused = Written::with(&id, "EmailsRefused").await;
        refused.assert_never(&["EmailsSent", "EmailsLost"]);
        org.set_email(&org.caller.user_id, "ada@example.com").await;
        wait_for_email(&id).await;
        let written = Written::with(&id, "EmailsSent").await;
        written.assert_once(&["EmailsSent", "ExportsCompleted"]);
        assert_eq!(emails_of(&id).await.len(), 1);
    });
}
