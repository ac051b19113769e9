//! What `template.yaml` promises and no local stack shows: an emulator drops encryption, expiry and access blocks
//! without a word.

use std::collections::{BTreeMap, BTreeSet};

use regex_lite::Regex;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};
use usage_export::config::{ACTIVE_EXPORTS, FILE_DAYS, Origin};

const TEMPLATE: &str = include_str!("../../../template.yaml");

const FUNCTIONS: [&str; 5] = [
    "ExportDataFunction",
    "ExportReconcilerFunction",
    "ExportStatusFunction",
    "ExportWorkerFunction",
    "SettingsPageFunction",
];
const TABLES: [&str; 3] = ["UsageRecordsTable", "DirectoryTable", "ExportsTable"];

/// The template as JSON; `!Ref x` is `{"Ref": "x"}`, `!Sub x` is `{"Fn::Sub": "x"}`: the long form.
fn template() -> Value {
    match Yaml::load_from_str(TEMPLATE) {
        Ok(documents) => json(&documents[0]),
        Err(error) => panic!("template.yaml is no YAML: {error}"),
    }
}

fn json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::Boolean(flag)) => json!(flag),
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Mapping(members) => {
            Value::Object(members.iter().map(|(name, value)| (key(name), json(value))).collect())
        }
        Yaml::Tagged(tag, value) if tag.suffix == "Ref" => json!({"Ref": json(value)}),
        Yaml::Tagged(tag, value) => {
            Value::Object(Map::from_iter([(format!("Fn::{}", tag.suffix), json(value))]))
        }
        other => panic!("not expected in a template: {other:?}"),
    }
}

fn key(yaml: &Yaml) -> String {
    match json(yaml) {
        Value::String(key) => key,
        other => panic!("not expected as a key: {other}"),
    }
}

fn properties(resource: &str) -> Value {
    template()["Resources"][resource]["Properties"].take()
}

/// The resources of a type, by their names.
fn resources(kind: &str) -> BTreeMap<String, Value> {
    let Value::Object(mut resources) = template()["Resources"].take() else { panic!("no resources") };
    resources.retain(|_, resource| resource["Type"] == kind);
    resources.into_iter().collect()
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(|text| text.as_str().unwrap_or("not a text").to_owned()).collect()
}

fn attribute(resource: &str) -> Value {
    json!({"Fn::GetAtt": format!("{resource}.Arn")})
}

fn sub(text: &str) -> Value {
    json!({"Fn::Sub": text})
}

/// Asserts which values a parameter's `AllowedPattern` allows; it must match the whole value.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>
fn assert_allows(parameter: &str, allowed: &[&str], refused: &[&str]) {
    let parameter_of_template = &template()["Parameters"][parameter];
    let pattern = parameter_of_template["AllowedPattern"].as_str().expect("a pattern");
    assert!(
        parameter_of_template["ConstraintDescription"].as_str().is_some_and(|text| text.starts_with("must"))
    );
    let pattern = Regex::new(pattern).expect("a regular expression");
    for value in allowed {
        assert!(pattern.is_match(value), "{parameter} allows {value}");
    }
    for value in refused {
        assert!(!pattern.is_match(value), "{parameter} refuses {value}");
    }
}

#[test]
fn a_sender_that_cannot_send_is_refused_and_none_is_made_up() {
    for parameter in ["EmailFrom", "SesIdentity"] {
        assert_eq!(template()["Parameters"][parameter]["Default"], Value::Null, "{parameter}");
    }
    assert_allows(
        "EmailFrom",
        &["exports@example.com", "a.b+c@mail.example.co.uk", "Usage Exports <exports@example.com>"],
        &[
            "",
            "example.com",
            "exports@",
            "@example.com",
            "exports@example",
            "a b@example.com",
            "<exports@example.com",
        ],
    );
    assert_allows(
        "SesIdentity",
        &["example.com", "mail.example.co.uk", "exports@example.com"],
        &["", "*", "example", "example.com/*", "arn:aws:ses:us-east-1:123456789012:identity/example.com"],
    );
    assert_allows("SesConfigurationSet", &["", "exports_1-a"], &["a b", "arn:aws:ses", "a/b"]);
}

#[test]
fn a_page_url_is_an_origin_or_nothing() {
    let origins = ["https://app.example.com", "http://127.0.0.1:8080", "https://localhost:8443"];
    let others = [
        "app.example.com",
        "https://",
        "https://a.example/",
        "https://a.example/settings",
        "ftp://a.example",
    ];
    assert_allows("PageUrl", &[&origins[..], &[""]].concat(), &others);
    for origin in origins {
        assert_eq!(origin.parse::<Origin>().map(|parsed| parsed.to_string()).as_deref(), Ok(origin));
    }
}

#[test]
fn numbers_have_the_limits_that_the_functions_check() {
    let limits = |parameter: &str| {
        let parameter = template()["Parameters"][parameter].take();
        assert_eq!(parameter["Type"], "Number");
        [parameter["MinValue"].as_u64(), parameter["MaxValue"].as_u64()].map(Option::unwrap)
    };
    for parameter in ["ActiveExportLimit", "MaxRunningExports"] {
        assert_eq!(
            limits(parameter),
            [ACTIVE_EXPORTS.start(), ACTIVE_EXPORTS.end()].map(|limit| u64::from(*limit)),
            "{parameter}"
        );
    }
    assert_eq!(limits("FileDays"), [FILE_DAYS.start(), FILE_DAYS.end()].map(|limit| u64::from(*limit)));
}

/// Fewer executions than the event source may use would be throttled; by default none are reserved, because an account must keep
/// 100 that are not.
#[test]
fn the_worker_has_reserved_executions_for_its_event_source_or_none() {
    assert_allows("WorkerReservedConcurrency", &["", "10", "100"], &["0", "9", "-1", "ten", "010"]);
    assert_eq!(template()["Parameters"]["WorkerReservedConcurrency"]["Default"], "");
    assert_eq!(properties("ExportWorkerSource")["ScalingConfig"], json!({"MaximumConcurrency": 10}));
    let reserved = &properties("ExportWorkerFunction")["ReservedConcurrentExecutions"];
    assert_eq!(reserved["Fn::If"][0], "HasReservedConcurrency", "{reserved}");
}

#[test]
fn every_table_is_encrypted_can_be_restored_and_survives_the_stack() {
    assert!(resources("AWS::DynamoDB::Table").keys().eq(BTreeSet::from(TABLES).iter()));
    for (name, table) in resources("AWS::DynamoDB::Table") {
        let properties = &table["Properties"];
        assert_eq!(properties["SSESpecification"], json!({"SSEEnabled": true}), "{name}");
        assert_eq!(
            properties["PointInTimeRecoverySpecification"],
            json!({"PointInTimeRecoveryEnabled": true}),
            "{name}"
        );
        assert_eq!(properties["BillingMode"], "PAY_PER_REQUEST", "{name}");
        assert_eq!(table["DeletionPolicy"], "Retain", "{name}");
        assert_eq!(table["UpdateReplacePolicy"], "Retain", "{name}");
    }
}

#[test]
fn exports_and_sessions_expire_and_usage_records_do_not() {
    let ttl = json!({"AttributeName": "ttl", "Enabled": true});
    for table in ["ExportsTable", "DirectoryTable"] {
        assert_eq!(properties(table)["TimeToLiveSpecification"], ttl, "{table}");
    }
    assert_eq!(properties("UsageRecordsTable")["TimeToLiveSpecification"], Value::Null);
}

#[test]
fn the_bucket_is_encrypted_and_not_public() {
    let bucket = properties("ExportBucket");
    let encryption = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"];
    assert_eq!(*encryption, json!([{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]));
    let blocks = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
    for block in blocks {
        assert_eq!(bucket["PublicAccessBlockConfiguration"][block], true, "{block}");
    }
    let ownership = json!([{"ObjectOwnership": "BucketOwnerEnforced"}]);
    assert_eq!(bucket["OwnershipControls"]["Rules"], ownership);
}

#[test]
fn files_expire_when_the_worker_says_and_parts_of_unfinished_uploads_are_deleted() {
    let rules = list(&properties("ExportBucket")["LifecycleConfiguration"]["Rules"]);
    assert_eq!(rules.len(), 2);
    assert!(rules.iter().all(|rule| rule["Status"] == "Enabled"));
    let expiry = rules.iter().find(|rule| rule["ExpirationInDays"] != Value::Null).expect("an expiry");
    assert_eq!(expiry["Prefix"], "exports/");
    let days = properties("ExportWorkerFunction")["Environment"]["Variables"]["FILE_DAYS"].take();
    assert_eq!(expiry["ExpirationInDays"], days);
    let abort = json!({"DaysAfterInitiation": 7});
    assert!(
        rules
            .iter()
            .any(|rule| rule["AbortIncompleteMultipartUpload"] == abort && rule["Prefix"] == Value::Null)
    );
}

#[test]
fn the_bucket_refuses_plain_http() {
    let policy = properties("ExportBucketPolicy");
    assert_eq!(policy["Bucket"], json!({"Ref": "ExportBucket"}));
    let [statement] = list(&policy["PolicyDocument"]["Statement"]).try_into().expect("one statement");
    assert_eq!(statement["Effect"], "Deny");
    assert_eq!(statement["Principal"], "*");
    assert_eq!(statement["Action"], "s3:*");
    assert_eq!(statement["Condition"], json!({"Bool": {"aws:SecureTransport": "false"}}));
    assert_eq!(
        statement["Resource"],
        json!([attribute("ExportBucket"), sub("${ExportBucket.Arn}/*")]),
        "the bucket and its objects"
    );
    assert_eq!(template()["Parameters"]["RequireTls"]["Default"], "true");
}

#[test]
fn no_message_is_lost_or_redelivered_while_its_worker_runs() {
    for (name, queue) in resources("AWS::SQS::Queue") {
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{name}");
    }
    let queue = properties("ExportQueue");
    let number = |value: &Value| value.as_i64().expect("a number");
    assert_eq!(queue["RedrivePolicy"]["deadLetterTargetArn"], attribute("ExportDeadLetterQueue"));
    assert!(number(&queue["RedrivePolicy"]["maxReceiveCount"]) >= 5, "the worker's own tries come first");
    assert!(
        number(&queue["VisibilityTimeout"]) >= number(&properties("ExportWorkerFunction")["Timeout"]),
        "a message would come back while its worker runs"
    );
    // A message in the dead-letter queue keeps the age that it had.
    let kept = |name| number(&properties(name)["MessageRetentionPeriod"]);
    assert!(kept("ExportDeadLetterQueue") > kept("ExportQueue"));
    let source = properties("ExportWorkerSource");
    assert_eq!(source["BatchSize"], 1);
    assert_eq!(source["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
}

/// The permissions of a role, each as an action and the resource that it is for.
fn permissions(role: &Value) -> BTreeSet<String> {
    let mut permissions = BTreeSet::new();
    for policy in list(&role["Properties"]["Policies"]) {
        for statement in list(&policy["PolicyDocument"]["Statement"]) {
            assert_eq!(statement["Effect"], "Allow");
            assert_eq!(statement["NotAction"], Value::Null);
            assert_eq!(statement["NotResource"], Value::Null);
            let fence = match &statement["Condition"] {
                Value::Null => String::new(),
                condition => format!(" if {condition}"),
            };
            for action in texts(&statement["Action"]) {
                for resource in list(&statement["Resource"]) {
                    permissions.insert(format!("{action} {}{fence}", place(&resource)));
                }
            }
        }
    }
    permissions
}

/// The short form of a policy's resource: its name in the template and the path below it.
fn place(resource: &Value) -> String {
    if let Some(name) = resource["Fn::GetAtt"].as_str() {
        return name.trim_end_matches(".Arn").to_owned();
    }
    if let Some(text) = resource["Fn::Sub"].as_str() {
        let text = text.replace("arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:", "");
        return text.replace("${", "").replace(".Arn}", "").replace('}', "");
    }
    match &resource["Fn::If"][1] {
        Value::Null => resource.to_string(),
        then => place(then),
    }
}

#[test]
fn each_function_has_exactly_the_permissions_that_it_uses() {
    let expected = [
        (
            "ExportDataFunction",
            vec![
                "dynamodb:BatchGetItem DirectoryTable",
                "dynamodb:BatchGetItem ExportsTable",
                "dynamodb:GetItem DirectoryTable",
                "dynamodb:GetItem ExportsTable",
                "dynamodb:PutItem ExportsTable",
                "dynamodb:UpdateItem ExportsTable",
                "logs:CreateLogStream ExportDataLogs",
                "logs:PutLogEvents ExportDataLogs",
                "sqs:SendMessage ExportQueue",
            ],
        ),
        (
            "ExportStatusFunction",
            vec![
                "dynamodb:BatchGetItem DirectoryTable",
                "dynamodb:GetItem DirectoryTable",
                "dynamodb:GetItem ExportsTable",
                "dynamodb:Query ExportsTable/index/by_organization",
                "dynamodb:Query ExportsTable/index/by_user",
                "logs:CreateLogStream ExportStatusLogs",
                "logs:PutLogEvents ExportStatusLogs",
                "s3:GetObject ExportBucket/exports/*",
                "s3:ListBucket ExportBucket",
            ],
        ),
        (
            "ExportWorkerFunction",
            vec![
                "dynamodb:BatchGetItem DirectoryTable",
                "dynamodb:BatchGetItem ExportsTable",
                "dynamodb:GetItem DirectoryTable",
                "dynamodb:GetItem ExportsTable",
                "dynamodb:Query DirectoryTable",
                "dynamodb:Query UsageRecordsTable",
                "dynamodb:UpdateItem ExportsTable",
                "logs:CreateLogStream ExportWorkerLogs",
                "logs:PutLogEvents ExportWorkerLogs",
                "s3:AbortMultipartUpload ExportBucket/exports/*",
                "s3:DeleteObject ExportBucket/exports/*",
                "s3:GetObject ExportBucket/exports/*",
                "s3:ListBucket ExportBucket",
                "s3:ListBucketMultipartUploads ExportBucket",
                "s3:ListMultipartUploadParts ExportBucket/exports/*",
                "s3:PutObject ExportBucket/exports/*",
                "ses:SendEmail configuration-set/SesConfigurationSet",
                "ses:SendEmail identity/SesIdentity",
                "sqs:ChangeMessageVisibility ExportQueue",
                "sqs:DeleteMessage ExportQueue",
                "sqs:GetQueueAttributes ExportQueue",
                "sqs:ReceiveMessage ExportQueue",
                "sqs:SendMessage ExportQueue",
            ],
        ),
        (
            "ExportReconcilerFunction",
            vec![
                "dynamodb:BatchGetItem DirectoryTable",
                "dynamodb:GetItem DirectoryTable",
                "dynamodb:GetItem ExportsTable",
                "dynamodb:Query ExportsTable/index/by_check_ts",
                "dynamodb:UpdateItem ExportsTable",
                "logs:CreateLogStream ExportReconcilerLogs",
                "logs:PutLogEvents ExportReconcilerLogs",
                "ses:SendEmail configuration-set/SesConfigurationSet",
                "ses:SendEmail identity/SesIdentity",
                "sqs:ChangeMessageVisibility ExportDeadLetterQueue",
                "sqs:DeleteMessage ExportDeadLetterQueue",
                "sqs:GetQueueAttributes ExportDeadLetterQueue",
                "sqs:ReceiveMessage ExportDeadLetterQueue",
                "sqs:SendMessage ExportQueue",
            ],
        ),
        (
            "SettingsPageFunction",
            vec![
                "dynamodb:BatchGetItem DirectoryTable",
                "dynamodb:BatchGetItem ExportsTable",
                // It starts and ends sessions, saves and deletes exports, and can make no key, no member and no administrator.
                r#"dynamodb:DeleteItem DirectoryTable if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["SAVED#*"]}}"#,
                "dynamodb:GetItem DirectoryTable",
                "dynamodb:GetItem ExportsTable",
                r#"dynamodb:PutItem DirectoryTable if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["SAVED#*"]}}"#,
                r#"dynamodb:PutItem DirectoryTable if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["SESSION#*"]}}"#,
                "dynamodb:PutItem ExportsTable",
                "dynamodb:Query DirectoryTable",
                "dynamodb:Query ExportsTable/index/by_organization",
                "dynamodb:Query ExportsTable/index/by_user",
                "dynamodb:Query UsageRecordsTable",
                r#"dynamodb:UpdateItem DirectoryTable if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["SESSION#*"]}}"#,
                "dynamodb:UpdateItem ExportsTable",
                "logs:CreateLogStream SettingsPageLogs",
                "logs:PutLogEvents SettingsPageLogs",
                "s3:GetObject ExportBucket/exports/*",
                "s3:ListBucket ExportBucket",
                "sqs:SendMessage ExportQueue",
            ],
        ),
    ];
    let roles = resources("AWS::IAM::Role");
    for (function, permitted) in expected {
        let role = roles.get(&role_of(function)).expect("a role");
        assert_eq!(permissions(role), permitted.into_iter().map(str::to_owned).collect(), "{function}");
        assert_eq!(role["Properties"]["ManagedPolicyArns"], Value::Null, "{function}");
        let trust = &role["Properties"]["AssumeRolePolicyDocument"]["Statement"];
        assert_eq!(trust[0]["Principal"], json!({"Service": "lambda.amazonaws.com"}), "{function}");
        assert_eq!(list(trust).len(), 1, "{function}");
    }
}

#[test]
fn no_role_has_a_wildcard() {
    for (name, role) in resources("AWS::IAM::Role") {
        for permission in permissions(&role) {
            let (action, resource) = permission.split_once(' ').expect("an action and a resource");
            assert!(!action.contains('*'), "{name}: {permission}");
            assert!(resource != "\"*\"" && !resource.starts_with('*'), "{name}: {permission}");
        }
    }
}

fn role_of(function: &str) -> String {
    let role = properties(function)["Role"]["Fn::GetAtt"].take();
    role.as_str().expect("a role").trim_end_matches(".Arn").to_owned()
}

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
        for (method, path, function) in [
            ("POST", "export_data", "ExportDataFunction"),
            ("POST", "cancel_export", "ExportDataFunction"),
            ("GET", "export_status", "ExportStatusFunction"),
            ("GET", "exports", "ExportStatusFunction"),
        ] {
            let key = format!("{method} {prefix}/{path}");
            assert_eq!(routes.get(&key).map(String::as_str), Some(function), "{key}");
        }
    }
    for key in ["", "/{proxy+}"].map(|rest| format!("ANY /settings/organization/data_export{rest}")) {
        assert_eq!(routes.get(&key).map(String::as_str), Some("SettingsPageFunction"), "{key}");
    }
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
