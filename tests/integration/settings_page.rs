//! The settings page over plain HTTP: sign-in, sessions, forms, security headers. `browser/` has the tests of what people
//! see.

use integration_tests::api::{Answer, Call};
use integration_tests::org::{Caller, TestOrg};
use integration_tests::page::{PAGE, Visitor, get_page, post_form, send_sign_in};
use integration_tests::records::{completed, failed, id_of, new_export_id, new_record, put_record};
use integration_tests::system::now;
use integration_tests::{random_id, with_org};

use crate::export_form::form;

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
