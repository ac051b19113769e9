//! What is around a request: its method, address, origin, encoding, and values that would forge headers.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use integration_tests::api::{Answer, Call, ROOTS, as_caller};
use integration_tests::export::request;
use integration_tests::page::{PAGE, Visitor, get_page, post_form, send_sign_in};
use integration_tests::records::{id_of, new_record, put_record};
use integration_tests::system::{now, system};
use integration_tests::with_org;
use reqwest::Method;
use serde_json::json;

use crate::FORGED;

/// Sends a request with another method.
async fn send_as(method: Method, mut call: Call) -> Answer {
    call.method = method;
    call.send().await
}

#[test]
fn another_method_is_answered_with_the_right_one() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        // The emulator answers OPTIONS itself.
        let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        for method in methods {
            for root in ROOTS {
                for (path, allowed) in [
                    ("export_data", "POST"),
                    ("cancel_export", "POST"),
                    ("export_status", "GET"),
                    ("exports", "GET"),
                ] {
                    let call = Call::get(&format!("{root}/{path}"), &[]).with_key(&org.caller.key);
                    let answer = send_as(method.clone(), call).await;
                    if method == allowed {
                        answer.assert_problem(400, &named(&answer));
                    } else {
                        answer.assert_problem(405, &[]);
                        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
                    }
                }
            }
            for (path, allowed) in
                [("", "GET,HEAD"), ("/sign_out", "POST"), ("/new", "GET,HEAD,POST"), ("/history", "GET,HEAD")]
            {
                if allowed.split(',').any(|allowed| method == allowed) {
                    continue;
                }
                let call = get_page(path).with_header("cookie", &visitor.cookie);
                let answer = send_as(method.clone(), call).await;
                assert_eq!(answer.status, 405, "{method} {path}");
                let mut found: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
                found.sort_unstable();
                assert_eq!(found.join(","), allowed, "{method} {path}");
            }
        }
    });
}

/// The fields that a problem blames.
fn named(answer: &Answer) -> Vec<&'static str> {
    const FIELDS: [&str; 3] = ["user_id", "data_export_id", "body"];
    let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    let names = errors.iter().map(|error| FIELDS.into_iter().find(|field| error["field"] == *field));
    names.map(Option::unwrap).collect()
}

#[test]
fn every_address_is_answered_by_the_product() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        for rest in ["/", "/new/", "/workspaces/"] {
            assert_eq!(visitor.get(rest).await.status, 200, "{rest}");
        }
        for rest in ["/nowhere", "/nowhere/"] {
            let answer = visitor.get(rest).await;
            assert_eq!(answer.status, 404);
            assert!(answer.text().contains("There is no page at this address"), "{rest}: {}", answer.text());
        }
        for path in ["/", "/export_data/", "/exports/x", "/api/v1", "/api/v2/exports", "/.env", "/settings"] {
            let answer = Call::get(path, &[]).with_key(&org.caller.key).send().await;
            answer.assert_problem(404, &[]);
        }
    });
}

#[test]
fn a_form_of_the_same_host_but_another_scheme_is_refused() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        let host = system().outputs.api_url.strip_prefix("http://").unwrap();
        for origin in
            [format!("https://{host}"), format!("ftp://{host}"), format!("//{host}"), host.to_owned()]
        {
            for path in ["/sign_out", "/new", "/saved", "/exports/e1/cancel"] {
                let call = post_form(path, &[]).with_header("cookie", &visitor.cookie);
                assert_eq!(call.with_header("origin", &origin).send().await.status, 403, "{origin} {path}");
            }
        }
        assert_eq!(visitor.get("").await.status, 200, "nobody was signed out");
    });
}

#[test]
fn a_flag_is_true_or_false() {
    with_org(async |org| {
        let record = new_record(&org, &org.caller, now());
        put_record(&record).await;
        let id = id_of(&record);
        for name in ["download", "manifest"] {
            for value in ["", " ", "1", "TRUE", "yes", "null", "true\u{0}", "true,false"] {
                let parameters = [("user_id", &*org.caller.user_id), ("data_export_id", &id), (name, value)];
                let call = Call::get("/export_status", &parameters).with_key(&org.caller.key);
                call.send().await.assert_problem(400, &[name]);
            }
        }
        for value in ["", "1", "TRUE"] {
            let parameters = [("user_id", &*org.caller.user_id), ("mine", value)];
            Call::get("/exports", &parameters)
                .with_key(&org.caller.key)
                .send()
                .await
                .assert_problem(400, &["mine"]);
        }
    });
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_compressed_body_is_refused_and_not_unpacked() {
    with_org(async |org| {
        let body = as_caller(&org.caller, &request(&json!({"include_all_workspaces": true}))).to_string();
        // Sixteen megabytes of spaces in some kilobytes.
        let bomb = gzipped(&vec![b' '; 1 << 24]);
        assert!(bomb.len() < 100_000, "{} bytes", bomb.len());
        for path in ["/export_data", "/cancel_export"] {
            for bytes in [gzipped(body.as_bytes()), bomb.clone(), gzipped(&bomb)] {
                let call = Call::post(path, bytes).with_key(&org.caller.key);
                let undeclared = call.clone().send().await;
                undeclared.assert_problem(400, &["body"]);
                for encoding in ["gzip", "GZIP", "x-gzip", "deflate", "br", "gzip, gzip"] {
                    let answer = call.clone().with_header("content-encoding", encoding).send().await;
                    answer.assert_problem(400, &["Content-Encoding"]);
                }
            }
        }
        let declared = Call::post("/export_data", "{}").with_key(&org.caller.key);
        let answer = declared.with_header("content-encoding", "identity").send().await;
        assert_eq!(answer.status, 400);
        assert!(!answer.text().contains("Content-Encoding"), "{}", answer.text());
        let visitor = Visitor::sign_in(&org.caller).await;
        for path in ["/new", "/new/preview", "/saved"] {
            let call =
                Call::post_as(&format!("{PAGE}{path}"), bomb.clone(), "application/x-www-form-urlencoded")
                    .with_header("content-encoding", "gzip")
                    .with_header("origin", &system().outputs.api_url)
                    .with_header("cookie", &visitor.cookie);
            let answer = call.send().await;
            assert!([200, 400].contains(&answer.status), "{path}: {}", answer.status);
            assert_eq!(answer.header("location"), "");
        }
    });
}

#[test]
fn no_value_forges_a_header() {
    with_org(async |org| {
        let visitor = Visitor::sign_in(&org.caller).await;
        let key = org.add_organization_key().await;
        let parameters = [("user_id", FORGED), ("data_export_id", FORGED), ("cursor", FORGED)];
        let mut answers = vec![
            Call::get("/export_status", &parameters).with_key(&key).send().await,
            Call::get("/exports", &parameters[..1]).with_key(&key).send().await,
            send_sign_in(FORGED, &org.caller.key).await,
            visitor.post("/new", &[("idempotency_key", FORGED), ("name", FORGED)]).await,
            visitor.post(&format!("/exports/{}/cancel", "%0d%0aSet-Cookie:%20forged=1"), &[]).await,
        ];
        for query in ["again", "started", "saved", "q", "who"] {
            let encoded: String = reqwest::Url::parse_with_params("http://x", [(query, FORGED)])
                .unwrap()
                .query()
                .unwrap()
                .into();
            answers.push(visitor.get(&format!("?{encoded}")).await);
            answers.push(visitor.get(&format!("/new?{encoded}")).await);
        }
        let fields = [("user_id", &*org.caller.user_id), ("api_key", &*org.caller.key), ("next", FORGED)];
        let sign_in =
            post_form("/sign_in", &fields).with_header("origin", &system().outputs.api_url).send().await;
        assert_eq!((sign_in.status, sign_in.header("location")), (303, PAGE));
        for answer in answers {
            assert!(answer.status < 500, "{}", answer.text());
            let is_forged = |value: &reqwest::header::HeaderValue| value.as_bytes().starts_with(b"forged");
            assert!(!answer.headers.values().any(is_forged), "{:?}", answer.headers);
            assert!(!answer.header("location").contains(['\r', '\n']));
        }
    });
}
