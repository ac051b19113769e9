//! `GET /export_status` without a file: states, members of the answer, errors.

use serde_json::{Value, json};

use integration_tests::api::{Call, ROOTS, get_download, get_manifest, get_status};
use integration_tests::export::{request, wait_until_final};
use integration_tests::records::{abandoned, failed, id_of, new_record, put_record};
use integration_tests::system::now;
use integration_tests::with_org;

/// Members of the answer that only a finished export has.
const FINISHED_MEMBERS: [&str; 5] = ["finished_ts", "size_bytes", "checksum", "error", "expires_ts"];

fn finished_members(status: &Value) -> Vec<&str> {
    FINISHED_MEMBERS.into_iter().filter(|name| status.get(name).is_some()).collect()
}

#[test]
fn the_members_depend_on_the_state() {
    with_org(async |org| {
        let requested = new_record(&org, &org.caller, now());
        let in_progress = abandoned(new_record(&org, &org.caller, now()), 1);
        let failed = failed(new_record(&org, &org.caller, now()));
        let cases = [
            (&requested, "REQUESTED", vec![]),
            (&in_progress, "IN_PROGRESS", vec![]),
            (&failed, "FAILED", vec!["finished_ts", "error"]),
        ];
        for (record, state, expected) in cases {
            put_record(record).await;
            let status = get_status(&org.caller, &id_of(record)).await.ok();
            assert_eq!(status["state"], state);
            assert_eq!(status["data_export_id"], record["data_export_id"]);
            assert_eq!(status["created_ts"], record["created_ts"]);
            assert_eq!(finished_members(&status), expected, "{status}");
            for internal in ["organization_id", "request", "lease_owner", "attempts", "ttl", "checkpoint"] {
                assert!(status.get(internal).is_none(), "{internal} leaks: {status}");
            }
        }
    });
}

#[test]
fn the_status_of_a_completed_export_describes_its_file() {
    with_org(async |org| {
        let id = org.post_export(&request(&json!({"include_all_workspaces": true}))).await;
        wait_until_final(&org.caller, &id).await;
        for root in ROOTS {
            let parameters = [("user_id", org.caller.user_id.as_str()), ("data_export_id", &id)];
            let call = Call::get(&format!("{root}/export_status"), &parameters).with_key(&org.caller.key);
            let status = call.send().await.ok();
            assert_eq!(
                finished_members(&status),
                ["finished_ts", "size_bytes", "checksum", "expires_ts"],
                "{status}"
            );
            assert_eq!(status["progress"], 100);
            assert_eq!(status["start_ts"], "2025-01-01T00:00:00.000Z");
            assert_eq!(status["end_ts"], "2025-01-31T23:59:59.999Z");
        }
    });
}

#[test]
fn a_download_of_an_export_without_a_file_is_its_status() {
    with_org(async |org| {
        let requested = new_record(&org, &org.caller, now());
        let in_progress = abandoned(new_record(&org, &org.caller, now()), 1);
        let failed = failed(new_record(&org, &org.caller, now()));
        for record in [requested, in_progress, failed] {
            put_record(&record).await;
            let id = id_of(&record);
            let download = get_download(&org.caller, &id).await.ok();
            assert_eq!(download["state"], record["state"]);
            assert_eq!(download, get_status(&org.caller, &id).await.ok());
            assert_eq!(get_manifest(&org.caller, &id).await.ok(), download);
        }
    });
}

#[test]
fn an_unknown_export_is_not_found() {
    with_org(async |org| {
        let active = format!("ACTIVE#{}", org.id);
        let unknown = "01900000-0000-7000-8000-000000000000";
        let ids = [unknown, "nonsense", "IDEMPOTENCY#00", &active, "../x", "%00", "💥", &"9".repeat(256)];
        for id in ids {
            get_status(&org.caller, id).await.assert_problem(404, &["data_export_id"]);
            get_download(&org.caller, id).await.assert_problem(404, &["data_export_id"]);
        }
    });
}

#[test]
fn missing_parameters_are_named() {
    with_org(async |org| {
        let user_id = ("user_id", org.caller.user_id.as_str());
        let export = ("data_export_id", "01900000-0000-7000-8000-000000000000");
        let cases = [
            (vec![user_id], vec!["data_export_id"]),
            (vec![user_id, ("data_export_id", "")], vec!["data_export_id"]),
            (vec![export], vec!["user_id"]),
            (vec![], vec!["user_id", "data_export_id"]),
            (vec![user_id, export, ("download", "perhaps")], vec!["download"]),
            (vec![user_id, export, ("manifest", "perhaps")], vec!["manifest"]),
            (vec![user_id, export, ("download", "true"), ("manifest", "true")], vec!["manifest"]),
        ];
        for (parameters, named) in cases {
            let answer = Call::get("/export_status", &parameters).with_key(&org.caller.key).send().await;
            answer.assert_problem(400, &named);
        }
        let answer = Call::get("/exports", &[]).with_key(&org.caller.key).send().await;
        answer.assert_problem(400, &["user_id"]);
    });
}
