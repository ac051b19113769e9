//! What `start_date` and `end_date` mean.

use serde_json::json;

use integration_tests::export::{Export, request};
use integration_tests::org::TestOrg;
use integration_tests::with_org;

/// Start and end of a date range, and the starts of the runs that it includes.
type Case<'a> = (&'a str, &'a str, &'a [&'a str]);

/// Makes a workspace with all runs that the cases name and with `others`, exports each range, and asserts which runs are
/// in its file.
async fn assert_ranges(org: &TestOrg, cases: &[Case<'_>], others: &[&str]) -> Vec<Export> {
    let workspace = org.add_workspace("Edges").await;
    let mut starts: Vec<_> = cases.iter().flat_map(|(_, _, starts)| starts.iter().copied()).collect();
    starts.extend(others);
    starts.sort_unstable();
    starts.dedup();
    org.write_runs_at(&workspace, &starts).await;
    let bodies: Vec<_> = cases
        .iter()
        .map(|(start, end, _)| {
            let range = json!({"start_date": start, "end_date": end, "export_fields": ["pl_run_created_ts"]});
            let mut body = request(&range);
            body["workspace_ids"] = json!([workspace]);
            body
        })
        .collect();
    let exports = org.assert_exports(&bodies).await;
    for (export, (start, end, starts)) in exports.iter().zip(cases) {
        assert_eq!(export.rows(), *starts, "from {start} to {end}");
    }
    exports
}

#[test]
fn an_end_that_is_a_date_or_a_midnight_includes_its_whole_day() {
    let day = [
        "2025-01-31T00:00:00.000Z",
        "2025-01-31T00:00:00.001Z",
        "2025-01-31T12:00:00.000Z",
        "2025-01-31T23:59:59.998Z",
        "2025-01-31T23:59:59.999Z",
    ];
    let around = ["2025-01-30T23:59:59.999Z", "2025-02-01T00:00:00.000Z", "2025-02-01T00:00:00.001Z"];
    with_org(async |org| {
        let cases: [Case<'_>; 6] = [
            ("2025-01-31", "2025-01-31", &day),
            ("2025-01-31T00:00:00", "2025-01-31T00:00:00", &day),
            ("2025-01-31T00:00:00Z", "2025-01-31T00:00:00Z", &day),
            ("2025-01-31T00:00:00.000Z", "2025-01-31T00:00:00+00:00", &day),
            ("2025-01-31", "2025-01-31T00:00:00.000Z", &day),
            ("2025-01-31T00:00:00", "2025-01-31", &day),
        ];
        let exports = assert_ranges(&org, &cases, &around).await;
        for export in exports {
            assert_eq!(export.status["start_ts"], "2025-01-31T00:00:00.000Z");
            assert_eq!(export.status["end_ts"], "2025-01-31T23:59:59.999Z");
        }
    });
}

#[test]
fn an_offset_shifts_the_day() {
    let east = [
        "2025-01-30T22:00:00.000Z",
        "2025-01-31T05:29:59.999Z",
        "2025-01-31T05:30:00.000Z",
        "2025-01-31T21:59:59.999Z",
    ];
    let west = ["2025-01-31T05:30:00.000Z", "2025-01-31T21:59:59.999Z", "2025-01-31T22:00:00.000Z"];
    let mixed = ["2025-01-31T21:59:59.999Z", "2025-01-31T22:00:00.000Z"];
    with_org(async |org| {
        let cases: [Case<'_>; 3] = [
            ("2025-01-31T00:00:00+02:00", "2025-01-31T00:00:00+02:00", &east),
            ("2025-01-31T00:00:00-05:30", "2025-01-31T23:00:00+01:00", &west),
            ("2025-01-31T15:59:59.999-06:00", "2025-01-31T22:00:00Z", &mixed),
        ];
        assert_ranges(&org, &cases, &["2025-01-30T21:59:59.999Z", "2025-01-31T22:00:00.001Z"]).await;
    });
}

#[test]
fn any_other_end_is_the_last_instant_included() {
    let (before, at, after) =
        ("2025-01-31T12:30:00.122Z", "2025-01-31T12:30:00.123Z", "2025-01-31T12:30:00.124Z");
    with_org(async |org| {
        let cases: [Case<'_>; 6] = [
            (at, at, &[at]),
            (before, at, &[before, at]),
            (at, after, &[at, after]),
            ("2025-01-31T12:30:00.123", "2025-01-31T12:30:00.123", &[at]),
            ("2025-01-31T14:30:00.123+02:00", "2025-01-31T14:30:00.123+02:00", &[at]),
            ("2025-01-31T12:00:00Z", "2025-01-31T12:30:00Z", &["2025-01-31T12:30:00.000Z"]),
        ];
        assert_ranges(&org, &cases, &["2025-01-31T12:30:00.001Z", "2025-01-31T00:00:00.000Z"]).await;
    });
}

#[test]
fn a_range_may_span_months_and_years() {
    let all = [
        "2024-02-29T00:00:00.000Z",
        "2024-02-29T23:59:59.999Z",
        "2024-03-01T00:00:00.000Z",
        "2024-12-31T23:59:59.999Z",
        "2025-01-01T00:00:00.000Z",
        "2025-01-31T23:59:59.999Z",
        "2025-02-01T00:00:00.000Z",
        "2025-02-28T23:59:59.999Z",
        "2026-01-01T00:00:00.000Z",
    ];
    with_org(async |org| {
        let cases: [Case<'_>; 5] = [
            ("2024-02-29", "2024-02-29", &all[..2]),
            ("2024-12-31", "2025-01-01", &all[3..5]),
            ("2025-01-01", "2025-02-28", &all[4..8]),
            ("2024-02-29", "2026-01-01", &all),
            ("2024-02-29", "2099-12-31", &all),
        ];
        assert_ranges(&org, &cases, &["2024-02-28T23:59:59.999Z"]).await;
    });
}
