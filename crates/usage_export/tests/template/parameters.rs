//! Parameters refuse what cannot work.

use regex_lite::Regex;
use serde_json::{Value, json};
use usage_export::config::{
    ACTIVE_EXPORTS, AUDIT_DAYS, FILE_DAYS, KEY_REQUESTS, MAX_WORKERS, Origin, READ_UNITS,
};

use crate::{properties, template};

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
    assert_allows(
        "AlarmEmail",
        &["", "oncall@example.com"],
        &["oncall", "On Call <oncall@example.com>", "a@b", "a b@example.com"],
    );
    let key = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    assert_allows(
        "KmsKeyArn",
        &["", key],
        &["alias/exports", "1234abcd", "arn:aws:kms:eu-central-1:123456789012:alias/x"],
    );
    assert_allows("DataEventsBucket", &["", "trail-of-example"], &["Trail", "s3://trail", "a", "-trail"]);
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
    assert_eq!(limits("MaxReadUnits"), [READ_UNITS.start(), READ_UNITS.end()].map(|limit| u64::from(*limit)));
    assert_eq!(limits("MaxWorkers"), [MAX_WORKERS.start(), MAX_WORKERS.end()].map(|limit| u64::from(*limit)));
    assert_eq!(
        limits("KeyRequestLimit"),
        [KEY_REQUESTS.start(), KEY_REQUESTS.end()].map(|limit| u64::from(*limit))
    );
    assert_eq!(limits("FileDays"), [FILE_DAYS.start(), FILE_DAYS.end()].map(|limit| u64::from(*limit)));
    assert_eq!(limits("AuditDays"), [AUDIT_DAYS.start(), AUDIT_DAYS.end()].map(|limit| u64::from(*limit)));
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
