//! Random requests for exports of a random organization. The files are compared with those of the oracle.

use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat, TimeDelta};
use fastrand::Rng;
use serde_json::{Value, json};

use integration_tests::export::FIELDS;
use integration_tests::org::TestOrg;
use integration_tests::records::timestamp;
use integration_tests::runs::Run;
use integration_tests::with_org;

const REQUESTS: usize = 20;
const RUNS: usize = 400;

/// Characters that are special in CSV, in spreadsheets or in encodings, and plain ones.
const CHARACTERS: [char; 16] =
    ['a', 'Z', '7', ' ', ',', '"', '\r', '\n', '\t', '=', '+', '-', '@', 'ß', '漢', '🧮'];

/// The ids that requests may name. Some name nothing.
struct Ids {
    workspaces: Vec<String>,
    workbooks: Vec<String>,
}

fn random_name(rng: &mut Rng) -> String {
    (0..rng.usize(1..12)).map(|_| CHARACTERS[rng.usize(..CHARACTERS.len())]).collect()
}

/// An instant from November 2024 to March 2025. Every fifth is at the beginning of a day, or a millisecond away from it.
fn random_instant(rng: &mut Rng) -> DateTime<FixedOffset> {
    let day = NaiveDate::from_ymd_opt(2024, 11, 1).unwrap() + TimeDelta::days(rng.i64(0..150));
    let midnight = day.and_hms_opt(0, 0, 0).unwrap().and_utc();
    let in_day = if rng.usize(..5) == 0 { rng.i64(-1..=1) } else { rng.i64(0..86_400_000) };
    (midnight + TimeDelta::milliseconds(in_day)).fixed_offset()
}

async fn fill(org: &TestOrg, rng: &mut Rng) -> Ids {
    let mut ids = Ids { workspaces: vec![org.admin.personal_workspace_id.clone()], workbooks: Vec::new() };
    let mut users = vec!["usr_unknown".to_owned()];
    for deleted in [false, false, true] {
        let member = org.add_member("member").await;
        org.set_email(&member.user_id, &random_name(rng)).await;
        let workspace = org.add_workspace(&random_name(rng)).await;
        for _ in 0..3 {
            ids.workbooks.push(org.add_workbook(&workspace, &random_name(rng)).await);
        }
        if deleted {
            org.delete_member(&member.user_id).await;
            org.delete_workspace(&workspace).await;
            org.delete_workspace(&member.personal_workspace_id).await;
            org.delete_workbook(&ids.workbooks[0]).await;
        }
        ids.workspaces.extend([workspace, member.personal_workspace_id]);
        users.push(member.user_id);
    }
    ids.workbooks.push("wbk_unknown".to_owned());
    let runs: Vec<_> = (0..RUNS)
        .map(|_| {
            let start = timestamp(random_instant(rng).to_utc());
            let run = Run::new(rng.choice(&ids.workspaces).unwrap(), &start)
                .of(rng.choice(&ids.workbooks).unwrap())
                .by(rng.choice(&users).unwrap())
                .costing(&format!("{}.{}1", rng.i32(-9..999), rng.u32(..)));
            if rng.usize(..8) == 0 { run.unfinished() } else { run }
        })
        .collect();
    org.write_runs(&runs).await;
    ids
}

/// The instant in one of the forms that the API accepts. Those without a time cut it off.
fn random_form(rng: &mut Rng, instant: DateTime<FixedOffset>) -> String {
    let offset = FixedOffset::east_opt(rng.i32(-24..=28) * 1800).unwrap();
    match rng.usize(..5) {
        0 => instant.format("%Y-%m-%d").to_string(),
        1 => instant.format("%Y-%m-%dT00:00:00").to_string(),
        2 => instant.format("%Y-%m-%dT%H:%M:%S").to_string(),
        3 => instant.to_rfc3339_opts(SecondsFormat::Millis, true),
        _ => instant.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Millis, false),
    }
}

fn random_request(rng: &mut Rng, ids: &Ids) -> Value {
    let mut fields = FIELDS;
    rng.shuffle(&mut fields);
    let (a, b) = (random_instant(rng), random_instant(rng));
    // Cutting the time off may move the end before the start, but not when they are two days apart.
    let (start, end) = (a.min(b), a.max(b) + TimeDelta::days(2));
    let mut body = json!({
        "export_fields": fields[..rng.usize(1..=FIELDS.len())],
        "start_date": random_form(rng, start),
        "end_date": random_form(rng, end),
        "entity_ids": random_some(rng, &ids.workbooks),
    });
    let kind = rng.usize(..6);
    if kind == 0 {
        body["include_all_workspaces"] = true.into();
    }
    if kind == 1 || kind == 2 {
        body["include_personal_workspaces"] = true.into();
    }
    if rng.usize(..4) == 0 {
        body["include_organization_workspaces"] = true.into();
    }
    if kind >= 2 {
        body["workspace_ids"] = random_some(rng, &ids.workspaces);
    }
    let selects = ["workspace_ids", "entity_ids"].iter().any(|name| body[*name] != json!([]));
    if kind >= 3 && !selects {
        body["include_all_workspaces"] = true.into();
    }
    body
}

/// A random choice of the ids, in half of the cases none.
fn random_some(rng: &mut Rng, ids: &[String]) -> Value {
    let count = if rng.bool() { 0 } else { rng.usize(1..=ids.len()) };
    (0..count).map(|_| rng.choice(ids).unwrap().as_str()).collect()
}

#[test]
fn files_of_random_requests_are_those_of_the_oracle() {
    with_org(async |org| {
        let seed = fastrand::u64(..);
        println!("the seed is {seed}");
        let mut rng = Rng::with_seed(seed);
        let ids = fill(&org, &mut rng).await;
        let bodies: Vec<_> = (0..REQUESTS).map(|_| random_request(&mut rng, &ids)).collect();
        let exports = org.assert_exports(&bodies).await;
        let with_rows = exports.iter().filter(|export| export.status["row_count"] != 0).count();
        assert!(with_rows > REQUESTS / 4, "only {with_rows} of {REQUESTS} exports had rows");
    });
}
