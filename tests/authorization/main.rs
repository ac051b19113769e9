//! Who may do what: every endpoint and route, for every kind of caller, on what is theirs and what is not.
//!
//! `matrix.txt` is the table, for people to read: a row for each request and whose thing it is about, a column for each caller,
//! and the status of the answer. This test makes the request of every cell of the running system and names the cells that differ.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod callers;
mod keys;
mod matrix;
mod requests;
mod targets;

use std::io::Write as _;

use futures::stream::{self, StreamExt as _};
use integration_tests::api::Answer;
use integration_tests::export::PostedExports;
use integration_tests::run;

use crate::callers::{CALLERS, Caller};
use crate::matrix::{Matrix, Row};
use crate::requests::request;
use crate::targets::World;

/// Cells of a row that are tried at the same time. Exports that are started in a row are fewer than an organization may have.
const AT_ONCE: usize = 6;

#[test]
fn every_caller_gets_what_the_matrix_says() {
    run(async {
        let matrix = Matrix::read(include_str!("matrix.txt"));
        let world = World::create().await;
        let (mut cells, mut found, mut wrong) = (0, Vec::new(), Vec::new());
        for row in &matrix.rows {
            let statuses = answers(&world, row).await;
            for (((caller, _), expected), status) in CALLERS.iter().zip(&row.statuses).zip(&statuses) {
                cells += 1;
                if status != expected {
                    wrong.push(format!("{row}, {}: {status} and not {expected}", caller.name()));
                }
            }
            found.push(Row { statuses, ..row.clone() });
        }
        // Past what the test harness keeps to itself: it is to be seen also when all is well.
        let (requests, callers, differ) = (found.len(), CALLERS.len(), wrong.len());
        let _ = writeln!(
            std::io::stderr(),
            "{cells} cells: {requests} requests for {callers} callers each; {differ} differ"
        );
        let found = Matrix { rows: found };
        assert!(wrong.is_empty(), "{}\n\nfound:\n{found}", wrong.join("\n"));
        assert!(cells >= 200, "only {cells} cells");
    });
}

/// The status for each caller. What they have started is finished when this returns.
async fn answers(world: &World, row: &Row) -> Vec<u16> {
    let started = PostedExports::default();
    let statuses = stream::iter(CALLERS)
        .map(async |(caller, _): (Caller, &str)| {
            let answer = request(world, row, caller).await.send().await;
            assert!(answer.status < 500, "{row}, {}: {}", caller.name(), answer.text());
            if let Some(id) = started_export(&answer) {
                started.add(&id);
            }
            answer.status
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    started.assert_finished().await;
    statuses
}

/// The id of the export that a request has started.
fn started_export(answer: &Answer) -> Option<String> {
    if let Some((_, id)) = answer.header("location").split_once("?started=") {
        return Some(id.split(['#', '&']).next()?.to_owned());
    }
    let is_accepted =
        answer.status == 200 && answer.text().starts_with("{\"") && answer.json()["success"] == true;
    is_accepted.then(|| answer.json()["data_export_id"].as_str().map(str::to_owned))?
}
