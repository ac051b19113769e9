//! `GET /export_status` with `download=true`: the file itself, or a redirect to it.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::presigning::PresigningConfig;
use serde_json::json;

use integration_tests::api::{Call, ROOTS, follow, get_download, get_manifest, get_status};
use integration_tests::export::request;
use integration_tests::files::{
    MAX_INLINE_BYTES, delete_file, etag_of_file, fill_large, object_key, replace_file,
};
use integration_tests::org::TestOrg;
use integration_tests::records::set_in_record;
use integration_tests::runs::Run;
use integration_tests::system::{now, system};
use integration_tests::with_org;

/// The name under which a browser saves the file.
fn file_name(disposition: &str) -> &str {
    disposition.strip_prefix("attachment; filename=\"").and_then(|name| name.strip_suffix('"')).unwrap()
}

/// Asserts that the name tells the first and the last day.
fn assert_tells_dates(file_name: &str, last_day: &str) {
    assert!(file_name.contains("2025-01-01") && file_name.contains(last_day), "{file_name}");
    assert_eq!(std::path::Path::new(file_name).extension().unwrap(), "csv");
}

/// Asserts that the file is not found, though the export is.
async fn assert_file_gone(org: &TestOrg, id: &str) {
    let answer = get_download(&org.caller, id).await;
    answer.assert_problem(404, &[]);
    assert!(answer.json()["detail"].as_str().unwrap().contains("expired"));
    assert_eq!(get_status(&org.caller, id).await.ok()["state"], "COMPLETED");
}

#[test]
fn the_answer_contains_a_small_file() {
    with_org(async |org| {
        let workspace = org.add_workspace("表計算 👩‍👩‍👧‍👦").await;
        org.write_runs_at(&workspace, &["2025-01-10T08:00:00.000Z"]).await;
        let export = org.assert_export(&request(&json!({"workspace_ids": [workspace]}))).await;
        for root in ROOTS {
            let user_id = org.caller.user_id.as_str();
            let parameters = [("user_id", user_id), ("data_export_id", &export.id), ("download", "true")];
            let call = Call::get(&format!("{root}/export_status"), &parameters).with_key(&org.caller.key);
            let answer = call.send().await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
            assert_tells_dates(file_name(answer.header("content-disposition")), "2025-01-31");
            assert_eq!(answer.body, export.file);
        }
        let parameters =
            [("user_id", org.caller.user_id.as_str()), ("data_export_id", &export.id), ("download", "false")];
        let status = Call::get("/export_status", &parameters).with_key(&org.caller.key).send().await;
        assert_eq!(status.ok(), export.status);
    });
}

#[test]
fn the_manifest_is_saved_beside_the_file() {
    with_org(async |org| {
        let export = org.export(&request(&json!({"include_all_workspaces": true}))).await;
        let file = get_download(&org.caller, &export.id).await;
        let manifest = get_manifest(&org.caller, &export.id).await;
        assert_eq!(manifest.header("content-type"), "application/json");
        let name = file_name(manifest.header("content-disposition")).to_owned();
        assert_eq!(name.replace(".manifest.json", ".csv"), file_name(file.header("content-disposition")));
        let whole = manifest.json();
        assert_eq!(
            whole["scope"]["workspaces"].as_array().unwrap().len(),
            1,
            "the administrator's own: {whole}"
        );
        assert_eq!((&whole["created_ts"], &whole["rows"]), (&export.status["created_ts"], &json!(0)));
        set_in_record(&export.id, "manifest", &json!(null)).await;
        let answer = get_manifest(&org.caller, &export.id).await;
        answer.assert_problem(404, &[]);
        assert!(answer.json()["detail"].as_str().unwrap().contains("before there were manifests"));
    });
}

#[test]
fn an_expired_file_is_not_found() {
    with_org(async |org| {
        let export = org.export(&request(&json!({"include_all_workspaces": true}))).await;
        set_in_record(&export.id, "expires_ts", &json!("2025-01-01T00:00:00.000Z")).await;
        assert_file_gone(&org, &export.id).await;
    });
}

#[test]
fn a_deleted_file_is_not_found() {
    with_org(async |org| {
        let export = org.export(&request(&json!({"include_all_workspaces": true}))).await;
        delete_file(&org, &export.id).await;
        assert_file_gone(&org, &export.id).await;
    });
}

fn other_file_of_the_same_length(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    file.reverse();
    file
}

#[test]
fn a_file_that_was_replaced_is_not_served() {
    with_org(async |org| {
        let export = org.export(&request(&json!({"include_all_workspaces": true}))).await;
        replace_file(&org, &export.id, other_file_of_the_same_length(&export.file)).await;
        get_download(&org.caller, &export.id).await.assert_problem(500, &[]);
        assert_eq!(get_status(&org.caller, &export.id).await.ok()["state"], "COMPLETED");
    });
}

#[test]
fn a_large_file_is_answered_with_a_redirect() {
    with_org(async |org| {
        fill_large(&org).await;
        let whole = request(&json!({"include_all_workspaces": true}));
        let mut one_part = whole.clone();
        one_part["end_date"] = "2025-01-02".into();
        let exports = org.assert_exports(&[whole, one_part]).await;
        for (export, (several, last_day)) in exports.iter().zip([(true, "2025-01-31"), (false, "2025-01-02")])
        {
            assert!(export.file.len() > MAX_INLINE_BYTES, "{}", export.file.len());
            let etag = etag_of_file(&org, &export.id).await.unwrap();
            // That of an upload in parts ends with their number.
            assert_eq!(etag.contains('-'), several, "{etag}");
            let answer = get_download(&org.caller, &export.id).await;
            assert_eq!(answer.status, 302);
            assert!(answer.body.is_empty());
            let file = follow(&answer).await;
            assert_eq!(file.status, 200);
            assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
            assert_tells_dates(file_name(file.header("content-disposition")), last_day);
            assert!(file.body == export.file);
        }
        let replaced = &exports[1];
        replace_file(&org, &replaced.id, other_file_of_the_same_length(&replaced.file)).await;
        get_download(&org.caller, &replaced.id).await.assert_problem(500, &[]);
        let presigned = get_download(&org.caller, &exports[0].id).await;
        let lives = presigned.header("location").split("X-Amz-Expires=").nth(1).unwrap();
        let lives: u32 = lives.split('&').next().unwrap().parse().unwrap();
        assert!((60..=3600).contains(&lives), "{lives} s");
        delete_file(&org, &exports[0].id).await;
        assert_file_gone(&org, &exports[0].id).await;
        set_in_record(&exports[1].id, "expires_ts", &json!("2025-01-01T00:00:00.000Z")).await;
        assert_file_gone(&org, &exports[1].id).await;
    });
}

/// Signs the download of a file as the product does, so long ago.
async fn signed_before(org: &TestOrg, id: &str, age: Duration) -> String {
    let signed = PresigningConfig::builder()
        .start_time(SystemTime::from(now()) - age)
        .expires_in(Duration::from_mins(5))
        .build();
    let (bucket, key) = (&system().outputs.bucket, object_key(org, id));
    let get = system().s3.get_object().bucket(bucket).key(key);
    get.presigned(signed.unwrap()).await.unwrap().uri().to_owned()
}

#[test]
fn a_redirect_is_good_for_its_file_and_its_time_only() {
    with_org(async |org| {
        let workspace = org.add_workspace("Large").await;
        let workbook_id = "w".repeat(65_000);
        let run = |second| {
            Run::new(&workspace, &format!("2025-01-10T08:{:02}:{:02}.000Z", second / 60, second % 60))
        };
        let runs: Vec<_> = (0..70).map(|second| run(second).of(&workbook_id)).collect();
        org.write_runs(&runs).await;
        let export = org.export(&request(&json!({"include_all_workspaces": true}))).await;
        let answer = get_download(&org.caller, &export.id).await;
        assert!(follow(&answer).await.body == export.file);
        let url = answer.header("location");
        assert!(url.contains("X-Amz-Expires=300"), "{url}");
        let other = TestOrg::create().await.id;
        for forged in [url.replace("X-Amz-Expires=300", "X-Amz-Expires=3000"), url.replace(&org.id, &other)] {
            assert_ne!(forged, url);
            assert_eq!(system().http.get(forged).send().await.unwrap().status(), 403);
        }
        for (age, status) in [(240, 200), (301, 403)] {
            let url = signed_before(&org, &export.id, Duration::from_secs(age)).await;
            let answer = system().http.get(url).send().await.unwrap();
            assert_eq!(answer.status(), status, "{}", answer.text().await.unwrap());
        }
    });
}
