//! The API document as it is served: its commands work as they stand there, and what they get is what it says.

use std::process::Stdio;

use integration_tests::api::{Answer, Call};
use integration_tests::export::wait_until_final;
use integration_tests::org::{Caller, TestOrg};
use integration_tests::system::system;
use integration_tests::{run, with_org};
use serde_json::{Value, json};

/// Runs a command of the document in a shell, and gives the last answer that curl got: its status, its media type and its body.
async fn in_a_shell(source: &str, caller: &Caller, id: &str) -> (u16, String, Vec<u8>) {
    let script = format!(
        "curl() {{ command curl -w '%{{stderr}}%{{http_code}} %{{content_type}}' \"$@\"; }}\n{source}"
    );
    let mut shell = tokio::process::Command::new("bash");
    shell.args(["-euc", &script]).stdin(Stdio::null()).kill_on_drop(true);
    shell.env("API", &system().outputs.api_url).env("KEY", &caller.key);
    shell.env("USER_ID", &caller.user_id).env("ID", id);
    let output = shell.output().await.expect("bash starts");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{source}\n{told}");
    let (status, media_type) = told.trim().split_once(' ').unwrap_or((told.trim(), ""));
    (status.parse().unwrap(), media_type.to_owned(), output.stdout)
}

/// Asserts that the document has an answer like this of the operation.
fn assert_documented(document: &Value, operation: &Value, status: u16, media_type: &str, body: &[u8]) {
    let response = &operation["responses"][status.to_string()];
    assert!(response.is_object(), "{status} is not in the document: {}", String::from_utf8_lossy(body));
    let media_type = media_type.split(';').next().unwrap();
    let schema = &response["content"][media_type]["schema"];
    assert!(schema.is_object(), "{media_type} of {status} is not in the document");
    if media_type.ends_with("json") {
        let schema = json!({ "allOf": [schema], "components": document["components"] });
        let validator =
            jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
        let body: Value = serde_json::from_slice(body).unwrap();
        validator.validate(&body).unwrap_or_else(|error| panic!("{error} in {body}"));
    }
}

async fn served() -> Value {
    Call::get("/openapi.json", &[]).send().await.ok()
}

fn samples(operation: &Value) -> Vec<String> {
    let samples = operation["x-codeSamples"].as_array().unwrap();
    samples.iter().map(|sample| sample["source"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn its_commands_work_as_pasted_and_get_what_it_says() {
    with_org(async |org| {
        let document = served().await;
        let of = |path: &str, method: &str| document["paths"][path][method].clone();
        let assert_works = async |operation: &Value, source: &str, id: &str| {
            let (status, media_type, body) = in_a_shell(source, &org.caller, id).await;
            assert_eq!(status, 200, "{source}\n{}", String::from_utf8_lossy(&body));
            assert_documented(&document, operation, status, &media_type, &body);
            body
        };
        let start = of("/export_data", "post");
        let accepted = assert_works(&start, &samples(&start)[0], "").await;
        let accepted: Value = serde_json::from_slice(&accepted).unwrap();
        let id = accepted["data_export_id"].as_str().unwrap();
        org.exports().add(id);
        wait_until_final(&org.caller, id).await;
        for (path, method) in [("/export_status", "get"), ("/exports", "get")] {
            let operation = of(path, method);
            for source in samples(&operation) {
                assert_works(&operation, &source, id).await;
            }
        }
        cancel(&org, &document).await;
    });
}

/// Cancels an export by the document's command: one that no worker knows of, so that it is not finished meanwhile.
async fn cancel(org: &TestOrg, document: &Value) {
    use integration_tests::records::{id_of, new_record, put_record};
    let record = new_record(org, &org.caller, integration_tests::system::now());
    put_record(&record).await;
    let operation = &document["paths"]["/cancel_export"]["post"];
    let (status, media_type, body) = in_a_shell(&samples(operation)[0], &org.caller, &id_of(&record)).await;
    assert_documented(document, operation, status, &media_type, &body);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
}

#[test]
fn refusals_are_what_it_says() {
    with_org(async |org| {
        let document = served().await;
        let user_id = org.caller.user_id.as_str();
        let get =
            |path: &str, parameters: &[(&str, &str)]| Call::get(path, parameters).with_key(&org.caller.key);
        let status = |parameters: &[(&str, &str)]| {
            get("/export_status", &[&[("user_id", user_id)], parameters].concat())
        };
        let history = |cursor: &str| get("/exports", &[("user_id", user_id), ("cursor", cursor)]);
        let entity_ids = json!({
            "export_fields": ["run_id"], "start_date": "2025-01-01", "end_date": "2025-01-31", "entity_ids": [""],
        });
        let other_method = Call { method: reqwest::Method::DELETE, ..history("") };
        // The places where document and code once differed, and every status that needs no more than a request.
        let cases = [
            ("/export_data", "post", 400, Call::export(&org.caller, &entity_ids)),
            ("/export_status", "get", 400, status(&[("data_export_id", "")])),
            ("/export_status", "get", 400, status(&[("data_export_id", "x"), ("download", "")])),
            ("/export_status", "get", 404, status(&[("data_export_id", "x")])),
            ("/exports", "get", 400, history("")),
            ("/exports", "get", 400, history("garbage")),
            ("/exports", "get", 401, Call::get("/exports", &[("user_id", user_id)])),
            ("/exports", "get", 403, get("/exports", &[("user_id", "somebody_else")])),
            ("/exports", "get", 405, other_method),
        ];
        for (path, method, expected, call) in cases {
            let url = call.url.to_string();
            let Answer { status, headers, body } = call.send().await;
            assert_eq!(status, expected, "{url}: {}", String::from_utf8_lossy(&body));
            let operation = &document["paths"][path][method];
            let media_type = headers["content-type"].to_str().unwrap();
            assert_documented(&document, operation, status, media_type, &body);
            let documented = operation["responses"][status.to_string()]["headers"].as_object();
            for (name, header) in documented.into_iter().flatten() {
                assert!(header["required"] != true || headers.contains_key(name), "{url}: {name}");
            }
        }
    });
}

#[test]
fn the_page_is_for_everybody() {
    run(async {
        let page = Call::get("/docs", &[]).send().await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
        let text = String::from_utf8(page.body).unwrap();
        assert!(text.contains("id=\"post-export_data\""), "{text}");
    });
}
