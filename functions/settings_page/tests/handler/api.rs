//! The API document and its page, which everybody can read.

use serde_json::{Value, json};

use crate::support::{Answer, answer, request};

const DOCUMENT: &str = include_str!("../../openapi.json");

async fn get(path: &str) -> Answer {
    answer(request(|event| event["rawPath"] = json!(path)), &[]).await
}

#[tokio::test]
async fn the_document_is_served_as_it_is() {
    let answer = get("/openapi.json").await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (200, &"application/json".parse().expect("a value"))
    );
    assert_eq!(answer.text, DOCUMENT);
}

#[tokio::test]
async fn the_page_has_all_that_the_document_has() {
    let document: Value = serde_json::from_str(DOCUMENT).expect("JSON");
    let answer = get("/docs").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.headers.contains_key("content-security-policy"));
    assert!(!answer.text.contains(" style=") && !answer.text.contains("<script>"), "the policy forbids both");
    let shown = answer.text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&");
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let anchor = format!("id=\"{method}-{}\"", path.trim_start_matches('/'));
            assert_eq!(answer.text.matches(&anchor).count(), 1, "{anchor}");
            for sample in operation["x-codeSamples"].as_array().expect("samples") {
                let source = sample["source"].as_str().expect("a command");
                assert!(shown.contains(&format!(">{source}</code>")), "{source}");
            }
            for parameter in operation["parameters"].as_array().expect("parameters") {
                let name = parameter["name"].as_str().expect("a name");
                assert!(answer.text.contains(&format!("<code>{name}</code>")), "{name}");
            }
            for status in operation["responses"].as_object().expect("responses").keys() {
                assert!(answer.text.contains(&format!(">{status}</span>")), "{path} {status}");
            }
        }
    }
    for name in document["components"]["schemas"].as_object().expect("schemas").keys() {
        assert!(answer.text.contains(&format!("id=\"schema-{name}\"")), "{name}");
    }
}

#[tokio::test]
async fn every_link_of_the_page_leads_somewhere() {
    let answer = get("/docs").await;
    let anchors = answer.text.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
    let mut seen = 0;
    for anchor in anchors {
        assert!(answer.text.contains(&format!("id=\"{anchor}\"")), "#{anchor}");
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}

#[tokio::test]
async fn other_methods_are_refused() {
    for path in ["/docs", "/openapi.json"] {
        let request = request(|event| {
            event["rawPath"] = json!(path);
            event["requestContext"]["http"]["method"] = json!("POST");
            event["cookies"] = json!([]);
        });
        let answer = answer(request, &[]).await;
        assert_eq!(
            (answer.status, &answer.headers["allow"]),
            (405, &"GET,HEAD".parse().expect("a value")),
            "{path}"
        );
    }
}
