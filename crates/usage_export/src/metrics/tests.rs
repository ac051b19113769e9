use std::collections::BTreeSet;

use super::*;

fn export() -> DataExport {
    let request = serde_json::from_value(json!({
        "fields": ["run_id"],
        "interval": {"start": "2025-01-01T00:00:00.000Z", "end": "2025-01-31T23:59:59.999Z"},
        "scope": {"all_workspaces": true, "personal_workspaces": true, "workspace_ids": [], "entity_ids": []},
    }))
    .unwrap();
    DataExport::new("org_1", "usr_1", request, now())
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_763_900_000_123).unwrap()
}

#[test]
fn a_line_is_as_the_format_demands_and_has_no_id_as_a_dimension() {
    let export = export();
    let figures = [(Metric::ExportsStarted, 1), (Metric::QueueWait, 1500)];
    assert_eq!(
        line("exports", &export, now(), None, &figures),
        json!({
            "_aws": {
                "Timestamp": 1_763_900_000_123_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "UsageDataExport",
                    "Dimensions": [["Stack"]],
                    "Metrics": [
                        {"Name": "ExportsStarted", "Unit": "Count"},
                        {"Name": "QueueWait", "Unit": "Milliseconds"},
                    ],
                }],
            },
            "Stack": "exports",
            "data_export_id": export.data_export_id,
            "organization_id": "org_1",
            "ExportsStarted": 1,
            "QueueWait": 1500,
        })
    );
}

#[test]
fn a_failure_is_counted_by_its_reason_and_with_all_others() {
    let line = line("s", &export(), now(), Some(FailureReason::BadRecord), &[(Metric::ExportsFailed, 1)]);
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Dimensions"], json!([["Stack"], ["Stack", "Reason"]]));
    assert_eq!(line["Reason"], "bad_record");
}

#[test]
fn names_differ() {
    let names: BTreeSet<_> = Metric::ALL.map(Metric::name).into();
    assert_eq!(names.len(), Metric::ALL.len());
}

#[test]
fn a_clock_that_goes_back_makes_no_huge_figure() {
    assert_eq!(millis(now(), now() + chrono::TimeDelta::seconds(1)), 0);
}
