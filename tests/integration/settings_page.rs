//! The settings page over plain HTTP: sign-in, sessions, forms, security headers. `browser/` has the tests of what people
//! see.

use integration_tests::api::{Answer, Call};
use integration_tests::export::{request, wait_until_final};
use integration_tests::manifest::assert_describes;
use integration_tests::org::{Caller, TestOrg};
use integration_tests::page::{PAGE, Visitor, get_page, post_form, send_sign_in};
use integration_tests::records::{
    completed, failed, id_of, new_export_id, new_record, put_active, put_record, read_record,
};
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
fn form<'a>(key: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("idempotency_key", key)], &FORM[..], more].concat()
}

/// The id of the export that the answer to a form redirects to.
fn created_export(org: &TestOrg, answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let id = answer.header("location").split_once("?started=").unwrap().1.to_owned();
    org.exports().add(&id);
    id
}

fn assert_asks_to_sign_in(answer: &Answer) {
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert!(answer.text().contains("id=\"sign-in\""), "{}", answer.text());
}

#[test]
fn a_visitor_without_a_session_is_asked_to_sign_in() {
    with_org(async |org| {
        assert_asks_to_sign_in(&get_page("").send().await);
        let stranger = Visitor { cookie: "usage_export_session=AAAA".to_owned() };
        let answer = stranger.get("").await;
        assert_asks_to_sign_in(&answer);
        assert!(answer.text().contains("Your session has ended"));
        // An API key is not a session token.
        let key = Visitor { cookie: format!("usage_export_session={}", org.caller.key) };
        assert_asks_to_sign_in(&key.get("").await);
        assert_asks_to_sign_in(&key.get("/changes").await);
    });
}

#[test]
fn the_sign_in_is_refused_for_the_same_reasons_as_at_the_api() {
    with_org(async |org| {
        let member = org.add_member("member").await;
        let member_key = org.add_personal_key(&member.user_id).await;
        let expired = org.add_key_with(&org.caller.user_id, "expires_ts", "2025-01-01T00:00:00.000Z").await;
        for (user_id, key, status, words) in [
            (&org.caller.user_id, "uex_unknown", 401, "mistyped, expired or revoked"),
            (&org.caller.user_id, expired.as_str(), 401, "mistyped, expired or revoked"),
            (&member.user_id, org.caller.key.as_str(), 403, "A personal key is only for its own user"),
            (&member.user_id, member_key.as_str(), 403, "Only administrators"),
            (&org.caller.user_id, "", 400, "Enter your user ID and an API key"),
        ] {
            let answer = send_sign_in(user_id, key).await;
            assert_eq!(answer.status, status, "{}", answer.text());
            assert!(answer.text().contains(words), "{}", answer.text());
            assert_eq!(answer.header("set-cookie"), "");
            assert!(key.is_empty() || !answer.text().contains(key), "the key comes back");
        }
        org.set_tier("team").await;
        let answer = send_sign_in(&org.caller.user_id, &org.caller.key).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        org.set_tier("enterprise").await;
    });
}

#[test]
fn an_organization_key_signs_any_administrator_in() {
    with_org(async |org| {
        let key = org.add_organization_key().await;
        let admin = org.add_admin().await;
        let visitor = Visitor::sign_in(&Caller { user_id: admin.user_id, key }).await;
        assert_eq!(visitor.get("").await.status, 200);
    });
}

#[test]
fn a_session_ends_when_its_user_signs_out() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        let other = Visitor::sign_in(&org.caller).await;
        assert_eq!(visitor.get("").await.status, 200);
        let answer = visitor.post("/sign_out", &[]).await;
        assert_eq!((answer.status, answer.header("location")), (303, PAGE));
        assert!(answer.header("set-cookie").contains("Max-Age=0"));
        assert_asks_to_sign_in(&visitor.get("").await);
        assert_eq!(other.get("").await.status, 200, "another browser stays signed in");
    });
}

#[test]
fn a_session_ends_when_its_api_key_is_revoked() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        org.revoke_key(&org.caller.key).await;
        assert_asks_to_sign_in(&visitor.get("").await);
    });
}

#[test]
fn a_session_is_authorized_again_at_every_request() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        org.set_tier("team").await;
        let answer = visitor.get("").await;
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("enterprise tier"), "{}", answer.text());
        assert!(answer.text().contains("Request <code>"), "{}", answer.text());
        org.set_tier("enterprise").await;
        assert_eq!(visitor.get("").await.status, 200);
    });
}

#[test]
fn a_session_token_is_no_api_key() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        let token = visitor.cookie.split_once('=').unwrap().1;
        let parameters = [("user_id", org.caller.user_id.as_str())];
        let answer = Call::get("/exports", &parameters).with_key(token).send().await;
        answer.assert_problem(401, &[]);
    });
}

#[test]
fn a_form_from_another_origin_is_refused() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        for origin in ["https://evil.example", "null", ""] {
            let mut call =
                post_form("/new", &form(&random_id("key"), &[])).with_header("cookie", &visitor.cookie);
            if !origin.is_empty() {
                call = call.with_header("origin", origin);
            }
            let answer = call.send().await;
            assert_eq!(answer.status, 403, "{origin}: {}", answer.text());
            assert!(answer.text().contains("sent from another site"), "{}", answer.text());
        }
        let history = visitor.get("").await.text();
        assert!(history.contains("No exports yet"), "{history}");
    });
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

#[test]
fn another_administrators_export_is_seen_but_not_downloaded_or_cancelled() {
    with_org(async |org| {
        let colleague = org.add_admin().await;
        org.set_email(&colleague.user_id, "grace@example.com").await;
        let record = completed(new_record(&org, &colleague, now()), 5, 500);
        put_record(&record).await;
        let visitor = Visitor::sign_in(&org.caller).await;
        let details = visitor.get(&format!("/exports/{}", id_of(&record))).await;
        assert_eq!(details.status, 200);
        assert!(details.text().contains("can download this file"), "{}", details.text());
        let list = visitor.get("").await.text();
        assert!(list.contains("grace@example.com") && !list.contains("/download"), "{list}");
        for part in ["/download", "/manifest"] {
            let answer = visitor.get(&format!("/exports/{}{part}", id_of(&record))).await;
            assert_eq!(answer.status, 403, "{part}");
            assert!(answer.text().contains("Only the administrator who asked"), "{}", answer.text());
        }
        let answer = visitor.post(&format!("/exports/{}/cancel", id_of(&record)), &[]).await;
        assert_eq!(answer.status, 403);
        assert_eq!(visitor.get(&format!("/new?again={}", id_of(&record))).await.status, 200);
    });
}

#[test]
fn another_organizations_export_is_as_one_that_does_not_exist() {
    with_org(async |org| {
        let other = TestOrg::create().await;
        let record = failed(new_record(&other, &other.caller, now()));
        put_record(&record).await;
        let visitor = Visitor::sign_in(&org.caller).await;
        for id in [id_of(&record), random_id("exp"), new_export_id(now())] {
            for part in ["", "/download", "/manifest"] {
                let answer = visitor.get(&format!("/exports/{id}{part}")).await;
                assert_eq!(answer.status, 404, "{part}");
                assert!(answer.text().contains("There is no such export"), "{}", answer.text());
            }
            assert_eq!(visitor.get(&format!("/new?again={id}")).await.status, 404);
        }
    });
}

#[test]
fn every_answer_has_the_security_headers() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        for answer in [
            get_page("").send().await,
            visitor.get("").await,
            visitor.get("/nowhere").await,
            visitor.get("/exports/none").await,
        ] {
            let policy = answer.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"));
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.header("referrer-policy"), "same-origin");
        }
        let answer = Call::get(&format!("{PAGE}/sign_out"), &[]).send().await;
        assert_eq!(answer.status, 405);
    });
}

#[test]
fn script_and_style_sheet_are_immutable_and_small() {
    with_org(async |_| {
        let page = get_page("").send().await.text();
        let mut compressed = 0;
        for (before, kind) in
            [("<script src=\"", "text/javascript"), ("rel=\"stylesheet\" href=\"", "text/css")]
        {
            let path = page.split_once(before).unwrap().1.split('"').next().unwrap();
            let answer = Call::get(path, &[]).with_header("accept-encoding", "gzip").send().await;
            assert_eq!((answer.status, answer.header("content-encoding")), (200, "gzip"));
            assert!(answer.header("content-type").starts_with(kind));
            assert!(answer.header("cache-control").contains("immutable"));
            compressed += answer.body.len();
            let plain = Call::get(path, &[]).send().await;
            assert_eq!(plain.header("content-encoding"), "");
            assert!(plain.body.len() > answer.body.len());
        }
        assert!(compressed < 45_000, "script and style sheet have {compressed} bytes, compressed");
        let answer = Call::get(&format!("{PAGE}/assets/page-OLD.js"), &[]).send().await;
        assert_ne!(answer.status, 200);
    });
}
