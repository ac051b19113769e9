//! What the functions log of hostile requests.

use integration_tests::api::Call;
use integration_tests::logs::lines_with;
use integration_tests::page::{Visitor, send_sign_in};
use integration_tests::{random_id, with_org};
use serde_json::json;

use crate::FORGED;

#[test]
fn no_value_forges_a_line_of_a_log_and_none_is_in_it() {
    with_org(async |org| {
        let mark = random_id("mark");
        let forged = format!("{FORGED}{mark}");
        let key = org.add_organization_key().await;
        let parameters = [("user_id", forged.as_str()), ("data_export_id", &forged), ("cursor", &forged)];
        for path in ["/export_status", "/exports"] {
            Call::get(path, &parameters).with_key(&key).send().await;
        }
        Call::post("/export_data", json!({"user_id": forged, "x": forged}).to_string())
            .with_key(&key)
            .send()
            .await;
        send_sign_in(&forged, &forged).await;
        Visitor::sign_in(&org.caller).await.get(&format!("/exports/{mark}")).await;
        let lines = lines_with("").await;
        assert!(lines.iter().any(|line| line.contains("refused request")), "{} lines", lines.len());
        for line in lines {
            assert!(
                !line.contains(&mark) && !line.starts_with("{\"level\":\"ERROR\",\"message\":\"forged\""),
                "{line}"
            );
            for secret in [&key, &org.caller.key, &org.admin.email] {
                assert!(!line.contains(secret.as_str()), "a secret is logged");
            }
        }
    });
}
