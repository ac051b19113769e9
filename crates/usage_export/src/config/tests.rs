use std::collections::HashMap;
use std::env::VarError;
use std::ffi::OsString;

use super::*;

/// Reads a setting from these variables and no other.
fn read<T>(
    variables: &[(&str, &str)],
    from_variables: impl FnOnce(Variables<'_>) -> Result<T, ConfigError>,
) -> Result<T, ConfigError> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let lookup =
        |name: &str| variables.get(name).map(|value| (*value).to_owned()).ok_or(VarError::NotPresent);
    from_variables(Variables(&lookup))
}

fn malformed(error: ConfigError) -> (&'static str, String) {
    match error {
        ConfigError::Malformed { name, reason } => (name, reason),
        ConfigError::Missing(_) => panic!("{error}"),
    }
}

#[test]
fn a_missing_or_empty_variable_is_named() {
    let tables = read(&[("DIRECTORY_TABLE", "directory")], TableNames::from_variables);
    assert_eq!(tables, Err(ConfigError::Missing("EXPORTS_TABLE")));
    let tables = read(&[("DIRECTORY_TABLE", ""), ("EXPORTS_TABLE", "exports")], TableNames::from_variables);
    assert_eq!(tables.unwrap_err().to_string(), "environment variable DIRECTORY_TABLE is not set");
    assert_eq!(read(&[], Origin::from_variables), Err(ConfigError::Missing("PAGE_URL")));
    assert_eq!(read(&[], Email::from_variables), Err(ConfigError::Missing("EMAIL_FROM")));
}

#[test]
fn what_may_be_absent_has_a_default() {
    assert_eq!(read(&[], Limits::from_variables), Ok(Limits { active_exports: 5 }));
    assert_eq!(read(&[], Turns::from_variables), Ok(Turns { max_running: 3 }));
    assert_eq!(read(&[], Reads::from_variables), Ok(Reads { max_units: 20_000 }));
    assert_eq!(read(&[("MAX_READ_UNITS", "0")], Reads::from_variables), Ok(Reads { max_units: 0 }));
    let workers = read(&[("MAX_WORKERS", "10")], Workers::from_variables);
    assert_eq!(workers, Ok(Workers { max_workers: 10, segment_pages: 16 }));
    assert_eq!(read(&[], Sharing::from_variables), Ok(Sharing { download_all: false }));
    let shared = read(&[("ADMINISTRATORS_DOWNLOAD_ALL", "true")], Sharing::from_variables);
    assert_eq!(shared, Ok(Sharing { download_all: true }));
    assert_eq!(read(&[("FILE_DAYS", "")], Retention::from_variables), Ok(Retention { file_days: 30 }));
    let records = read(&[("USAGE_RECORDS_TABLE", "usage")], UsageRecordsTable::from_variables);
    assert_eq!(records, Ok(UsageRecordsTable { name: "usage".to_owned(), read_ahead: 4 }));
    let email = read(&[("EMAIL_FROM", "exports@example.com")], Email::from_variables);
    assert_eq!(email, Ok(Email { from: "exports@example.com".to_owned(), configuration_set: None }));
}

#[test]
fn a_malformed_variable_is_named_with_what_is_wrong() {
    for value in ["0", "1001", "-1", "five", "5.0", " 5"] {
        let error = read(&[("ACTIVE_EXPORT_LIMIT", value)], Limits::from_variables).unwrap_err();
        assert_eq!(malformed(error).0, "ACTIVE_EXPORT_LIMIT", "{value}");
    }
    let error = read(&[("MAX_RUNNING_EXPORTS", "0")], Turns::from_variables).unwrap_err();
    assert_eq!(malformed(error).0, "MAX_RUNNING_EXPORTS");
    let error = read(&[("MAX_READ_UNITS", "1000001")], Reads::from_variables).unwrap_err();
    assert_eq!(malformed(error).0, "MAX_READ_UNITS");
    for (name, value) in [("MAX_WORKERS", "0"), ("SEGMENT_PAGES", "0"), ("SEGMENT_PAGES", "10001")] {
        assert_eq!(malformed(read(&[(name, value)], Workers::from_variables).unwrap_err()).0, name);
    }
    let error = read(&[("ADMINISTRATORS_DOWNLOAD_ALL", "yes")], Sharing::from_variables).unwrap_err();
    assert_eq!(malformed(error).0, "ADMINISTRATORS_DOWNLOAD_ALL");
    let error = read(&[("FILE_DAYS", "3651")], Retention::from_variables).unwrap_err();
    assert_eq!(malformed(error), ("FILE_DAYS", "3651 is not within 1 to 3650".to_owned()));
    let variables = [("USAGE_RECORDS_TABLE", "usage"), ("READ_AHEAD", "0")];
    assert_eq!(malformed(read(&variables, UsageRecordsTable::from_variables).unwrap_err()).0, "READ_AHEAD");
    assert_eq!(
        malformed(read(&[("EMAIL_FROM", "exports")], Email::from_variables).unwrap_err()).0,
        "EMAIL_FROM"
    );
    let error = read(&[("PAGE_URL", "app.example.com")], Origin::from_variables).unwrap_err();
    assert!(error.to_string().contains("PAGE_URL") && error.to_string().contains("https://"), "{error}");
}

#[test]
fn a_variable_that_is_not_unicode_is_not_quoted() {
    let lookup = |_: &str| Err(VarError::NotUnicode(OsString::from("a secret")));
    let error = Limits::from_variables(Variables(&lookup)).unwrap_err();
    assert_eq!(malformed(error), ("ACTIVE_EXPORT_LIMIT", "not Unicode".to_owned()));
}
