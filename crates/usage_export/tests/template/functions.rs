//! Functions, and what calls them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{FUNCTIONS, attribute, list, properties, resources, role_of, template};

#[test]
fn each_function_is_built_by_cargo_lambda_for_arm_and_has_its_own_role_and_logs() {
    assert!(resources("AWS::Serverless::Function").keys().eq(FUNCTIONS.iter()));
    let roles: BTreeSet<_> = FUNCTIONS.map(role_of).into();
    assert_eq!(roles.len(), FUNCTIONS.len());
    assert_eq!(template()["Parameters"]["Architecture"]["Default"], "arm64");
    let common = template()["Globals"]["Function"].take();
    assert_eq!(common["Architectures"], json!([{"Ref": "Architecture"}]));
    assert_eq!(common["Runtime"], "provided.al2023");
    assert_eq!(common["Handler"], "bootstrap");
    let logs = resources("AWS::Logs::LogGroup");
    for (name, function) in resources("AWS::Serverless::Function") {
        assert_eq!(function["Metadata"]["BuildMethod"], "rust-cargolambda", "{name}");
        let package = function["Properties"]["CodeUri"].as_str().expect("a folder");
        let manifest = format!("{}/../../{package}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
        assert!(
            std::fs::exists(&manifest).expect("a folder that can be read"),
            "{name}: {package} is no package"
        );
        assert_eq!(function["Properties"]["Architectures"], Value::Null, "{name} has the common one");
        let group = function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"].as_str().expect("a group");
        assert_eq!(logs[group]["Properties"]["RetentionInDays"], json!({"Ref": "LogDays"}), "{name}");
    }
}

#[test]
fn the_page_has_its_path_and_the_api_is_at_the_root_and_below_its_version() {
    let mut routes = BTreeMap::new();
    for (name, route) in resources("AWS::ApiGatewayV2::Route") {
        let target = route["Properties"]["Target"]["Fn::Sub"].as_str().expect("a target");
        let integration = target.trim_start_matches("integrations/${").trim_end_matches('}');
        let function = properties(integration)["IntegrationUri"]["Fn::GetAtt"].take();
        assert_eq!(properties(integration)["PayloadFormatVersion"], "2.0", "{name}");
        let key = route["Properties"]["RouteKey"].as_str().expect("a key").to_owned();
        routes.insert(key, function.as_str().expect("a function").trim_end_matches(".Arn").to_owned());
    }
    for prefix in ["", "/api/v1"] {
        for (path, function) in [
            ("export_data", "ExportDataFunction"),
            ("cancel_export", "ExportDataFunction"),
            ("export_status", "ExportStatusFunction"),
            ("exports", "ExportStatusFunction"),
            ("audit", "ExportStatusFunction"),
        ] {
            let key = format!("ANY {prefix}/{path}");
            assert_eq!(routes.get(&key).map(String::as_str), Some(function), "{key}");
        }
    }
    for key in ["", "/{proxy+}"].map(|rest| format!("ANY /settings/organization/data_export{rest}")) {
        assert_eq!(routes.get(&key).map(String::as_str), Some("SettingsPageFunction"), "{key}");
    }
    for key in ["ANY /docs", "ANY /openapi.json"] {
        assert_eq!(routes.get(key).map(String::as_str), Some("SettingsPageFunction"), "{key}");
    }
    assert_eq!(routes.get("$default").map(String::as_str), Some("SettingsPageFunction"));
}

#[test]
fn the_reconciler_runs_every_minute_and_for_each_dead_letter() {
    let schedule = properties("ExportReconcilerSchedule");
    assert_eq!(schedule["ScheduleExpression"], "rate(1 minute)");
    assert_eq!(schedule["State"], "ENABLED");
    assert_eq!(schedule["Targets"][0]["Arn"], attribute("ExportReconcilerFunction"));
    let permission = properties("ExportReconcilerPermission");
    assert_eq!(permission["FunctionName"], json!({"Ref": "ExportReconcilerFunction"}));
    assert_eq!(permission["Principal"], "events.amazonaws.com");
    assert_eq!(permission["SourceArn"], attribute("ExportReconcilerSchedule"), "and only by its schedule");
    let source = properties("ExportReconcilerSource");
    assert_eq!(source["EventSourceArn"], attribute("ExportDeadLetterQueue"));
    assert_eq!(source["FunctionName"], attribute("ExportReconcilerFunction"));
    assert_eq!(source["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    let number = |value: &Value| value.as_i64().expect("a number");
    let timeout = number(&properties("ExportReconcilerFunction")["Timeout"]);
    assert!(number(&properties("ExportDeadLetterQueue")["VisibilityTimeout"]) >= timeout);
    let index = json!({
        "IndexName": "by_check_ts",
        "KeySchema": [
            {"AttributeName": "unsettled", "KeyType": "HASH"},
            {"AttributeName": "check_ts", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    });
    assert!(list(&properties("ExportsTable")["GlobalSecondaryIndexes"]).contains(&index));
}

#[test]
fn the_gateway_may_call_each_function_of_its_routes_and_only_from_this_api() {
    let mut permissions = resources("AWS::Lambda::Permission");
    permissions.remove("ExportReconcilerPermission").expect("that of the schedule");
    let mut called = BTreeSet::new();
    for (name, permission) in &permissions {
        let properties = &permission["Properties"];
        assert_eq!(properties["Principal"], "apigateway.amazonaws.com", "{name}");
        assert_eq!(properties["Action"], "lambda:InvokeFunction", "{name}");
        let source = properties["SourceArn"]["Fn::Sub"].as_str().expect("a source");
        assert!(source.ends_with(":${HttpApi}/*"), "{name}: {source}");
        called.insert(properties["FunctionName"]["Ref"].as_str().expect("a function").to_owned());
    }
    for (name, integration) in resources("AWS::ApiGatewayV2::Integration") {
        let function =
            integration["Properties"]["IntegrationUri"]["Fn::GetAtt"].as_str().expect("a function");
        assert!(called.contains(function.trim_end_matches(".Arn")), "{name}");
    }
}
