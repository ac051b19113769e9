//! An organization with random usage records, and the files that its exports must give.

use fastrand::Rng;
use integration_tests::export::FIELDS;
use integration_tests::files::fill_large;
use integration_tests::oracle::Snapshot;
use integration_tests::org::TestOrg;
use integration_tests::runs::Run;
use serde_json::{Value, json};

/// Names that a CSV has to quote or to escape.
const NAMES: [&str; 4] = ["Plain", "Comma, \"quotes\"", "=1+1", "line\r\nbreak"];

/// How many usage records an organization has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Some 40 in one workspace.
    Small,
    /// Some 400 in three workspaces.
    Medium,
    /// 6,000 in twelve workspaces, with long names: 19 MB of CSV.
    Large,
}

/// The organization, and what its tables hold: nothing changes after it was made.
pub struct SeededOrg {
    /// Its directory and its administrator.
    pub org: TestOrg,
    workspaces: Vec<String>,
    snapshot: Snapshot,
}

impl SeededOrg {
    /// Writes the organization and its records.
    pub async fn create(size: Size, rng: &mut Rng) -> Self {
        let org = TestOrg::create().await;
        let workspaces = match size {
            Size::Small => fill(&org, 1, 40, rng).await,
            Size::Medium => fill(&org, 3, 400, rng).await,
            Size::Large => {
                let mut ids: Vec<_> =
                    fill_large(&org).await.into_iter().map(|run| run.workspace_id).collect();
                ids.dedup();
                ids
            }
        };
        let snapshot = Snapshot::read(&org).await;
        Self { org, workspaces, snapshot }
    }

    /// The ids of its workspaces that have records.
    pub fn workspaces(&self) -> impl Iterator<Item = &str> {
        self.workspaces.iter().map(String::as_str)
    }

    /// A request for a random part of the data: 1 to 3 months, some fields in any order, one workspace or all.
    pub fn random_request(&self, rng: &mut Rng) -> Value {
        let mut fields = FIELDS;
        rng.shuffle(&mut fields);
        let last = ["2025-01-31", "2025-02-28", "2025-03-31"][rng.usize(..3)];
        let mut request = json!({
            "export_fields": fields[..rng.usize(1..=fields.len())],
            "start_date": "2025-01-01",
            "end_date": last,
        });
        if rng.bool() {
            request["include_all_workspaces"] = true.into();
        } else {
            request["workspace_ids"] = json!([self.workspaces[rng.usize(..self.workspaces.len())]]);
        }
        request
    }

    /// A request for everything of five years, most months of which are empty: it takes many calls.
    pub fn long_request(&self) -> Value {
        json!({
            "export_fields": FIELDS,
            "start_date": "2022-01-01",
            "end_date": "2026-12-31",
            "include_all_workspaces": true,
        })
    }

    /// The file that a request must give.
    pub fn expected(&self, request: &Value) -> Vec<u8> {
        self.snapshot.expected(request).0
    }
}

/// Writes random runs of the first three months of 2025. Returns the ids of the workspaces.
async fn fill(org: &TestOrg, workspaces: usize, runs: usize, rng: &mut Rng) -> Vec<String> {
    let member = org.add_member("member").await;
    let mut ids = Vec::new();
    let mut workbooks = Vec::new();
    for _ in 0..workspaces {
        let workspace = org.add_workspace(NAMES[rng.usize(..NAMES.len())]).await;
        workbooks.push(org.add_workbook(&workspace, NAMES[rng.usize(..NAMES.len())]).await);
        ids.push(workspace);
    }
    let runs: Vec<_> = (0..runs)
        .map(|_| {
            let chosen = rng.usize(..workspaces);
            let run = Run::new(&ids[chosen], &random_start(rng)).by(&member.user_id);
            let run = run.costing(&format!("{}.{:04}", rng.u32(..100), rng.u32(1..10_000)));
            match rng.u8(..10) {
                0 => run.unfinished(),
                // The directory does not know its workbook.
                1 => run,
                _ => run.of(&workbooks[chosen]),
            }
        })
        .collect();
    org.write_runs(&runs).await;
    ids
}

fn random_start(rng: &mut Rng) -> String {
    format!(
        "2025-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        rng.u8(1..=3),
        rng.u8(1..=28),
        rng.u8(..24),
        rng.u8(..60),
        rng.u8(..60),
        rng.u16(..1000)
    )
}
