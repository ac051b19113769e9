//! Tables, the bucket and the queues.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{TABLES, attribute, list, properties, resources, sub, template};

#[test]
fn every_table_is_encrypted_can_be_restored_and_survives_the_stack() {
    assert!(resources("AWS::DynamoDB::Table").keys().eq(BTreeSet::from(TABLES).iter()));
    for (name, table) in resources("AWS::DynamoDB::Table") {
        let properties = &table["Properties"];
        let own_key = json!({"SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "KmsKeyArn"}});
        let encryption = json!({"Fn::If": ["HasKmsKey", own_key, {"SSEEnabled": true}]});
        assert_eq!(properties["SSESpecification"], encryption, "{name}");
        assert_eq!(properties["DeletionProtectionEnabled"], true, "{name}");
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
fn exports_sessions_and_events_expire_and_usage_records_do_not() {
    let ttl = json!({"AttributeName": "ttl", "Enabled": true});
    for table in ["ExportsTable", "DirectoryTable", "AuditTable"] {
        assert_eq!(properties(table)["TimeToLiveSpecification"], ttl, "{table}");
    }
    assert_eq!(properties("UsageRecordsTable")["TimeToLiveSpecification"], Value::Null);
}

#[test]
fn the_bucket_is_encrypted_and_not_public() {
    let bucket = properties("ExportBucket");
    let encryption = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"];
    let own_key = json!({
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KmsKeyArn"}},
        "BucketKeyEnabled": true,
    });
    let of_aws = json!({"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}});
    assert_eq!(*encryption, json!([{"Fn::If": ["HasKmsKey", own_key, of_aws]}]));
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
fn the_queues_refuse_plain_http() {
    let policy = template()["Resources"]["QueuePolicy"].take();
    assert_eq!(policy["Condition"], "TlsRequired");
    let policy = &policy["Properties"];
    let queues: Vec<_> = resources("AWS::SQS::Queue").into_keys().collect();
    let named: BTreeSet<_> = list(&policy["Queues"]).iter().map(|queue| queue["Ref"].to_string()).collect();
    assert_eq!(named, queues.iter().map(|name| json!(name).to_string()).collect());
    let [statement] = list(&policy["PolicyDocument"]["Statement"]).try_into().expect("one statement");
    assert_eq!((&statement["Effect"], &statement["Action"]), (&json!("Deny"), &json!("sqs:*")));
    assert_eq!(statement["Condition"], json!({"Bool": {"aws:SecureTransport": "false"}}));
    assert_eq!(list(&statement["Resource"]).len(), queues.len());
}

/// Without the parameter nothing about a key is in the stack; with it, each function can use the key, through DynamoDB and S3 alone.
#[test]
fn a_key_of_the_companys_own_is_used_by_every_function_and_through_nothing_else() {
    let policy = template()["Resources"]["KeyPolicy"].take();
    assert_eq!(policy["Condition"], "HasKmsKey");
    let roles: BTreeSet<_> =
        list(&policy["Properties"]["Roles"]).iter().map(|role| role["Ref"].to_string()).collect();
    assert_eq!(roles, resources("AWS::IAM::Role").keys().map(|name| json!(name).to_string()).collect());
    let [statement] =
        list(&policy["Properties"]["PolicyDocument"]["Statement"]).try_into().expect("one statement");
    assert_eq!(statement["Resource"], json!({"Ref": "KmsKeyArn"}));
    let services = ["dynamodb", "s3"].map(|name| sub(&format!("{name}.${{AWS::Region}}.amazonaws.com")));
    assert_eq!(statement["Condition"], json!({"StringEquals": {"kms:ViaService": services}}));
}

#[test]
fn each_access_to_a_file_can_be_recorded() {
    let trail = template()["Resources"]["DataEventsTrail"].take();
    assert_eq!(trail["Condition"], "HasDataEventsBucket");
    let fields = list(&trail["Properties"]["AdvancedEventSelectors"][0]["FieldSelectors"]);
    let of_bucket = json!({"Field": "resources.ARN", "StartsWith": [sub("${ExportBucket.Arn}/")]});
    assert!(fields.contains(&of_bucket), "{fields:?}");
    assert_eq!(trail["Properties"]["EnableLogFileValidation"], true);
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
