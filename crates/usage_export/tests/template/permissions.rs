//! The permissions of the roles.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{list, resources, role_of, texts};

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
                // Whoever adds an event can neither change nor delete one.
                "dynamodb:PutItem AuditTable",
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
                "dynamodb:PutItem AuditTable",
                "dynamodb:Query AuditTable",
                "dynamodb:Query AuditTable/index/by_export",
                "dynamodb:Query ExportsTable/index/by_organization",
                "dynamodb:Query ExportsTable/index/by_user",
                r#"dynamodb:UpdateItem ExportsTable if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["RATE#*"]}}"#,
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
                "dynamodb:PutItem AuditTable",
                "dynamodb:PutItem ExportsTable",
                "dynamodb:Query AuditTable",
                "dynamodb:Query AuditTable/index/by_export",
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
