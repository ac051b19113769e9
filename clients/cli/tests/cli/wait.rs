//! `usage-export wait`, `status` and `cancel`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Program, outcome};
use crate::server::{Reply, Server};
use crate::world::{Export, json_reply, problem};

/// A server whose export is as these members say, one after the other. The last ones stay.
fn serve(export: &Export, steps: Vec<Value>) -> Server {
    let (export, mut steps) = (export.clone(), steps.into_iter().peekable());
    Server::start(move |_, _| {
        let step = if steps.len() > 1 { steps.next() } else { steps.peek().cloned() };
        let mut status = export.status();
        status.as_object_mut().unwrap().extend(step.unwrap().as_object().unwrap().clone());
        json_reply(&status).with("date", "Sat, 01 Feb 2025 08:00:05 GMT")
    })
}

#[test]
fn the_progress_is_told_until_the_end() {
    let (program, export) = (Program::new(), Export::new(77));
    let running = json!({"state": "IN_PROGRESS", "progress": 55, "row_count": 12345, "rows_per_second": 20000,
        "estimated_finish_ts": "2025-02-01T08:02:05.000Z"});
    let server = serve(&export, vec![json!({"state": "REQUESTED", "progress": 0}), running, json!({})]);
    let outcome = program.run(&server.url, &["wait", &export.id]).ended(0);
    assert!(outcome.stdout.contains("COMPLETED, 1,234 rows, 77 bytes, crc32:"), "{outcome:?}");
    outcome.says(&["0 %  REQUESTED", "55 %  IN_PROGRESS, 12,345 rows, 20,000 rows/s, 2 min left"]);
}

#[test]
fn the_exit_code_says_how_it_ended() {
    for (members, code, kind) in [
        (json!({"state": "FAILED", "error": "A record cannot be read."}), 4, "failed"),
        (json!({"state": "FAILED", "error": "cancelled"}), 5, "cancelled"),
        (json!({"state": "FAILED"}), 4, "failed"),
    ] {
        let (program, export) = (Program::new(), Export::new(1));
        let server = serve(&export, vec![members.clone()]);
        let outcome = program.run(&server.url, &["wait", &export.id]).ended(code);
        assert!(outcome.stdout.contains("FAILED"), "{outcome:?}");
        let outcome = program.run(&server.url, &["wait", &export.id, "--json"]).ended(code);
        assert_eq!(outcome.json()["error"], members["error"], "the export as the API describes it");
        assert_eq!(outcome.error_json()["error"], kind);
        program.run(&server.url, &["status", &export.id]).ended(0);
    }
}

#[test]
fn waiting_ends_in_time() {
    let (program, export) = (Program::new(), Export::new(1));
    let server = serve(&export, vec![json!({"state": "IN_PROGRESS", "progress": 1})]);
    let started = Instant::now();
    program
        .run(&server.url, &["wait", &export.id, "--timeout", "1s"])
        .ended(8)
        .says(&["It goes on", "usage-export wait"]);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn it_is_asked_less_and_less_often() {
    let (program, export) = (Program::new(), Export::new(1));
    let server = serve(&export, vec![json!({"state": "IN_PROGRESS", "progress": 1})]);
    program.run(&server.url, &["wait", &export.id, "--timeout", "5s"]).ended(8);
    let asked = server.all_requests().len();
    assert!((3..=7).contains(&asked), "{asked}");
}

#[test]
fn a_busy_api_and_a_broken_connection_do_not_end_the_waiting() {
    let (program, export) = (Program::new(), Export::new(1));
    let (of_server, mut count) = (export.clone(), 0);
    let server = Server::start(move |_, _| {
        count += 1;
        match count {
            1 => problem(429, "Too many requests.").with("retry-after", "1"),
            2 => Reply::none(),
            3 => Reply::new(502, "Bad gateway"),
            _ => json_reply(&of_server.status()),
        }
    });
    program.run(&server.url, &["wait", &export.id]).ended(0).says(&["Trying again in 1.0 s"]);
    assert_eq!(server.all_requests().len(), 4);
}

#[cfg(unix)]
#[test]
fn ctrl_c_says_how_to_go_on() {
    let (program, export) = (Program::new(), Export::new(1));
    let server = serve(&export, vec![json!({"state": "IN_PROGRESS", "progress": 1})]);
    let child = program.spawn(&server.url, &["wait", &export.id]);
    while server.all_requests().is_empty() {
        std::thread::sleep(Duration::from_millis(20));
    }
    crate::resume::interrupt(&child);
    let outcome = outcome(child.wait_with_output().unwrap()).ended(130);
    outcome.says(&["The export goes on", &format!("usage-export wait {}", export.id), "usage-export cancel"]);
}

#[test]
fn an_export_is_cancelled() {
    let (program, export) = (Program::new(), Export::new(1));
    let server = serve(&export, vec![json!({"state": "FAILED", "error": "cancelled"})]);
    let outcome = program.run(&server.url, &["cancel", &export.id]).ended(0);
    assert!(outcome.stdout.contains("cancelled"), "{outcome:?}");
    let request = &server.requests_for("/cancel_export")[0];
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, json!({"user_id": program.user_id, "data_export_id": export.id}));
    let server =
        Server::start(|_, _| problem(409, "The export is COMPLETED already: there is nothing to cancel."));
    program.run(&server.url, &["cancel", &export.id]).ended(1).says(&["nothing to cancel"]);
}

#[test]
fn an_id_that_could_be_something_else_is_refused() {
    let program = Program::new();
    for id in ["../x", "a b", "a&user_id=b"] {
        program.run("http://127.0.0.1:9", &["status", id]).ended(2).says(&["letters, digits and hyphens"]);
    }
}
