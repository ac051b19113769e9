//! The export form of the settings page over plain HTTP.

use integration_tests::api::Answer;
use integration_tests::export::{request, wait_until_final};
use integration_tests::manifest::assert_describes;
use integration_tests::org::TestOrg;
use integration_tests::page::Visitor;
use integration_tests::records::{id_of, new_record, put_active, put_record, read_record};
use integration_tests::system::{now, system};
use integration_tests::{random_id, with_org};
use serde_json::json;

/// A form that asks for one field of January 2025 in all workspaces.
const FORM: [(&str, &str); 4] = [
    ("start_date", "01/01/2025"),
    ("end_date", "01/31/2025"),
    ("workspaces", "all"),
    ("export_fields", "run_id"),
];

/// `FORM` with an idempotency key and with further fields.
pub fn form<'a>(key: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("idempotency_key", key)], &FORM[..], more].concat()
}

/// The id of the export that the answer to a form redirects to.
fn created_export(org: &TestOrg, answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let id = answer.header("location").split_once("?started=").unwrap().1.to_owned();
    org.exports().add(&id);
    id
}

#[test]
fn a_form_that_is_sent_many_times_makes_one_export() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        let key = random_id("key");
        let fields = form(&key, &[]);
        let answers = futures::future::join_all((0..6).map(|_| visitor.post("/new", &fields))).await;
        let ids: Vec<_> = answers.iter().map(|answer| created_export(&org, answer)).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let page = visitor.get(&format!("?started={}", ids[0])).await.text();
        assert_eq!(page.matches("<tr class=\"export").count(), 1, "{page}");

        // A form that was changed since is another export, which the user must confirm.
        let changed = form(&key, &[("export_fields", "user_id")]);
        let answer = visitor.post("/new", &changed).await;
        assert_eq!(answer.status, 422);
        assert!(answer.text().contains("has started an export already"), "{}", answer.text());
        assert!(!answer.text().contains(&key), "the form must have a new key");
    });
}

#[test]
fn the_page_and_the_api_make_equal_exports() {
    with_org(async |org| {
        let workspace = org.add_workspace("Kitchen").await;
        org.write_runs_at(&workspace, &["2025-01-10T10:00:00.000Z", "2025-01-31T23:59:59.999Z"]).await;
        let visitor = Visitor::sign_in(&org.caller).await;
        let fields = [
            ("idempotency_key", "k"),
            ("start_date", "2025-01-01"),
            ("end_date", "2025-01-31"),
            ("workspaces", "selected"),
            ("workspace_ids", &workspace),
            ("export_fields", "run_id"),
            ("export_fields", "credit_cost"),
        ];
        let id = created_export(&org, &visitor.post("/new", &fields).await);
        wait_until_final(&org.caller, &id).await;
        let by_api = request(&json!({
            "export_fields": ["run_id", "credit_cost"], "workspace_ids": [workspace],
        }));
        let expected = org.assert_export(&by_api).await;
        let answer = visitor.get(&format!("/exports/{id}/download")).await;
        assert_eq!(answer.status, 302, "{}", answer.text());
        let file = system().http.get(answer.header("location")).send().await.unwrap().bytes().await.unwrap();
        assert_eq!(file, expected.file);
        let answer = visitor.get(&format!("/exports/{id}/manifest")).await;
        let manifest = system().http.get(answer.header("location")).send().await.unwrap();
        assert_describes(&manifest.json().await.unwrap(), &org, &id, &file);
        let details = visitor.get(&format!("/exports/{id}")).await.text();
        assert!(details.contains(&format!("/exports/{id}/manifest\"")), "{details}");
        assert_eq!(read_record(&id).await["request"], read_record(&expected.id).await["request"]);
        let named = async |id: &str| read_record(&format!("REQUEST#{id}")).await["workspace_ids"].clone();
        assert_eq!(named(&id).await, named(&expected.id).await);
        assert_eq!(named(&id).await, json!([workspace]));
    });
}

#[test]
fn days_of_a_time_zone_are_exported_by_its_clocks() {
    with_org(async |org| {
        let workspace = org.add_workspace("Kitchen").await;
        // In New York, March 9, 2025 has 23 hours.
        let starts = [
            "2025-03-09T04:59:59.999Z",
            "2025-03-09T05:00:00.000Z",
            "2025-03-10T03:59:59.999Z",
            "2025-03-10T04:00:00.000Z",
        ];
        org.write_runs_at(&workspace, &starts).await;
        let visitor = Visitor::sign_in(&org.caller).await;
        let fields = [
            ("idempotency_key", "k"),
            ("start_date", "03/09/2025"),
            ("end_date", "03/09/2025"),
            ("time_zone", "America/New_York"),
            ("workspaces", "all"),
            ("export_fields", "pl_run_created_ts"),
        ];
        let id = created_export(&org, &visitor.post("/new", &fields).await);
        wait_until_final(&org.caller, &id).await;
        let answer = visitor.get(&format!("/exports/{id}/download")).await;
        let file = system().http.get(answer.header("location")).send().await.unwrap().text().await.unwrap();
        assert_eq!(file, format!("pl_run_created_ts\r\n{}\r\n{}\r\n", starts[1], starts[2]));
        let history = visitor.get("").await.text();
        assert!(history.contains("03/09/2025<span") && history.contains("New York time"), "{history}");
        // Again, it is the same day in the same zone.
        let again = visitor.get(&format!("/new?again={id}")).await.text();
        assert!(again.contains("data-typed=\"03/09/2025\""), "{again}");
        assert!(again.contains("value=\"America/New_York\" selected"), "{again}");
    });
}

#[test]
fn a_preview_has_the_first_rows_of_the_file_and_their_number() {
    with_org(async |org| {
        let workspace = org.add_workspace("=Kitchen, \"A\"").await;
        org.write_runs_at(&workspace, &["2025-01-10T10:00:00.000Z", "2025-01-31T23:59:59.999Z"]).await;
        let visitor = Visitor::sign_in(&org.caller).await;
        let fields =
            form("k", &[("export_fields", "workspace_name"), ("export_fields", "pl_run_created_ts")]);
        let answer = visitor.post("/new/preview", &fields).await;
        assert_eq!(answer.status, 200);
        let page = answer.text();
        let told =
            ["2 rows, ", "As of now.", "'=Kitchen, &#34;A&#34;", "2025-01-31T23:59:59.999Z", "All rows"];
        let quoted = page.replace("&#39;", "'");
        for told in told {
            assert!(quoted.contains(told), "{told} is not in {page}");
        }
        let nothing = visitor.post("/new/preview", &[&[("end_date", "")][..], &fields].concat()).await;
        assert_eq!(nothing.status, 200, "the last of two inputs counts");
        let refused = visitor.post("/new/preview", &[("start_date", "02/30/2025")]).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text().contains("There is no February 30 in 2025."), "{}", refused.text());
    });
}

#[test]
fn an_invalid_form_comes_back_with_errors_and_what_was_typed() {
    with_org(async |org| {
        let workspace = org.add_workspace("Kitchen").await;
        let visitor = Visitor::sign_in(&org.caller).await;
        let fields = [
            ("start_date", "02/01/2025"),
            ("end_date", "01/31/2025"),
            ("workspaces", "selected"),
            ("workspace_ids", &workspace),
            ("idempotency_key", "a \"key\""),
        ];
        let answer = visitor.post("/new", &fields).await;
        assert_eq!(answer.status, 400);
        let page = answer.text();
        assert!(page.contains("The end date must be on or after the start date."), "{page}");
        assert!(page.contains("Select at least one field."), "{page}");
        assert!(page.contains("data-typed=\"02/01/2025\""), "{page}");
        assert!(page.contains(&format!("value=\"{workspace}\" checked")), "{page}");
        assert!(page.contains("value=\"a &#34;key&#34;\""), "{page}");

        let foreign = random_id("wsp");
        let answer = visitor
            .post("/new", &form("k", &[("workspaces", "selected"), ("workspace_ids", &foreign)]))
            .await;
        assert_eq!(answer.status, 404);
        assert!(answer.text().contains("not in the organization"), "{}", answer.text());
    });
}

#[test]
fn a_form_beyond_the_limit_comes_back_with_an_error_and_what_was_typed() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        let records: Vec<_> = (0..5).map(|_| new_record(&org, &org.caller, now())).collect();
        for record in &records {
            put_record(record).await;
        }
        put_active(&org, records.iter().map(id_of).collect()).await;
        let answer = visitor.post("/new", &form("k", &[])).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, "60"));
        assert!(answer.text().contains("already has 5 unfinished exports"), "{}", answer.text());
        assert!(answer.text().contains("data-typed=\"01/31/2025\""), "{}", answer.text());
    });
}
