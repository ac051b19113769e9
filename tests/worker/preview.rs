//! Previews, compared with the files that are made of the same requests.

use chrono::{DateTime, TimeDelta};
use fastrand::Rng;
use integration_tests::export::FIELDS;
use integration_tests::records::timestamp;
use integration_tests::run;
use integration_tests::runs::Run;
use integration_tests::system::system;
use serde_json::{Value, json};
use usage_export::directory::Directory;
use usage_export::export::request::ExportRequest;
use usage_records::pace::Pace;
use usage_records::preview::{Preview, ROWS, RowsAre, preview};
use usage_records::query::UsageRecords;

use crate::world::{World, now};

const NAMES: [&str; 5] = ["Sales", "=1+1", "Sales, \"EU\"\r\n2025", "\u{202e}漢🧮", "-"];

/// Three workspaces, six workbooks and so many runs from November 2024 to March 2025, of which many start at the same
/// millisecond.
async fn world(runs: usize, rng: &mut Rng) -> (World, Vec<String>) {
    let mut world = World::without_runs(3, |_| ()).await;
    world.page_size = 1_000;
    world.workspaces.push(world.org.add_workspace(NAMES[2]).await);
    let mut workbooks = vec!["wbk_unknown".to_owned()];
    for name in NAMES {
        workbooks.push(world.org.add_workbook(&world.workspaces[0], name).await);
    }
    let users = [world.org.admin.user_id.as_str(), "usr_unknown"];
    let run = |_| {
        let start: DateTime<chrono::Utc> = "2024-11-01T00:00:00Z".parse().unwrap();
        let start = start + TimeDelta::minutes(rng.i64(0..14_400) * 15);
        Run::new(&world.workspaces[rng.usize(..3)], &timestamp(start))
            .of(&workbooks[rng.usize(..workbooks.len())])
            .by(users[rng.usize(..2)])
            .costing(&format!("{}.5", rng.i32(-9..999)))
    };
    let runs: Vec<_> = (0..runs).map(run).collect();
    world.org.write_runs(&runs).await;
    (world, workbooks)
}

fn random_request(world: &World, workbooks: &[String], rng: &mut Rng) -> Value {
    let mut fields = FIELDS;
    rng.shuffle(&mut fields);
    let start: DateTime<chrono::Utc> = "2024-10-20T00:00:00Z".parse().unwrap();
    let start = start + TimeDelta::hours(rng.i64(0..3_000));
    let some = |rng: &mut Rng, ids: &[String]| -> Vec<String> {
        ids.iter().filter(|_| rng.bool()).cloned().collect()
    };
    let workspaces = some(rng, &world.workspaces);
    json!({
        "fields": fields[..rng.usize(1..=FIELDS.len())],
        "interval": {"start": timestamp(start), "end": timestamp(start + TimeDelta::hours(rng.i64(1..2_500)))},
        "scope": {
            "all_workspaces": workspaces.is_empty(),
            "personal_workspaces": workspaces.is_empty() || rng.bool(),
            "workspace_ids": workspaces,
            "entity_ids": if rng.bool() { some(rng, workbooks) } else { Vec::new() },
        },
    })
}

async fn preview_of(world: &World, request: &Value) -> Preview {
    let request: ExportRequest = serde_json::from_value(request.clone()).unwrap();
    let (client, tables) = (system().dynamodb.clone(), &system().outputs.tables);
    let directory = Directory::new(client.clone(), tables.directory.clone());
    let records =
        UsageRecords { client, table: tables.usage_records.clone(), read_ahead: 4, pace: Pace::default() };
    preview(&records, &directory, &world.org.id, &request, now()).await.unwrap()
}

/// The lines of the file that an export of the request makes, and its size.
async fn file_of(world: &World, request: &Value) -> (Vec<Vec<String>>, usize) {
    let mut export = world.another_export(|of| *of = request.clone()).await;
    export.page_size = 1_000;
    export.process(1).await;
    let file = export.file().await.expect("a file");
    let reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file.as_slice());
    let lines = reader.into_records().map(|line| line.unwrap().iter().map(str::to_owned).collect());
    (lines.collect(), file.len())
}

/// Compares the preview with the file; returns how many rows that has.
async fn compare(world: &World, request: &Value) -> usize {
    let Preview { header, rows, rows_are, estimate } = preview_of(world, request).await;
    let (lines, size) = file_of(world, request).await;
    let in_file = lines.len() - 1;
    assert_eq!(header, lines[0], "{request}");
    assert_eq!(rows, lines[1..][..in_file.min(ROWS)], "{request}");
    assert_eq!(rows_are, if in_file < ROWS { RowsAre::All } else { RowsAre::First }, "{request}");
    assert_eq!((estimate.rows, estimate.is_exact), (in_file as u64, true), "{request}");
    if in_file <= 500 {
        assert_eq!(estimate.bytes, size as u64, "{request}");
    }
    in_file
}

#[test]
fn a_preview_has_the_first_rows_of_the_file_and_its_size() {
    run(async {
        let seed = fastrand::u64(..);
        println!("the seed is {seed}");
        let mut rng = Rng::with_seed(seed);
        let (world, workbooks) = world(400, &mut rng).await;
        let mut with_rows = 0;
        for _ in 0..20 {
            let request = random_request(&world, &workbooks, &mut rng);
            with_rows += usize::from(compare(&world, &request).await > 0);
        }
        assert!(with_rows >= 5, "only {with_rows}");
    });
}

/// Its partitions take several calls each, which begin where the one before ended.
#[test]
fn more_rows_than_one_call_reads_are_counted_exactly() {
    run(async {
        let mut rng = Rng::with_seed(7);
        let (world, workbooks) = world(1_500, &mut rng).await;
        for entity_ids in [&workbooks[..0], &workbooks[..2]] {
            let request = json!({
                "fields": FIELDS,
                "interval": {"start": "2024-11-01T00:00:00.000Z", "end": "2025-03-31T23:59:59.999Z"},
                "scope": {
                    "all_workspaces": false, "personal_workspaces": false, "workspace_ids": world.workspaces,
                    "entity_ids": entity_ids,
                },
            });
            assert!(compare(&world, &request).await > 400);
        }
    });
}
