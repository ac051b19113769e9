//! `usage-export start`: never a second export, whatever happens to the answer.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Program, random};
use crate::server::{Reply, Request, Server};
use crate::world::{Export, Place, json_reply, problem};

const JANUARY: [&str; 6] =
    ["start", "--start-date", "2025-01-01", "--end-date", "2025-01-31", "--all-workspaces"];

fn accepted(id: &str) -> Reply {
    json_reply(
        &json!({"success": true, "data_export_id": id, "state": "REQUESTED", "created_ts": "2025-02-01T08:00:00.000Z"}),
    )
}

/// A server that answers a start as `answer` says, by the number of requests before.
fn serve(mut answer: impl FnMut(usize) -> Reply + Send + 'static) -> Server {
    let mut count = 0;
    Server::start(move |_, _| {
        count += 1;
        answer(count - 1)
    })
}

fn keys(requests: &[Request]) -> Vec<&str> {
    requests.iter().map(|request| request.header("idempotency-key").unwrap()).collect()
}

#[test]
fn the_id_alone_goes_to_standard_output() {
    let (program, export) = (Program::new(), Export::new(0));
    let id = export.id.clone();
    let server = serve(move |_| accepted(&id));
    let outcome = program.run(&server.url, &JANUARY).ended(0);
    assert_eq!(outcome.stdout, format!("{}\n", export.id));
    let requests = server.requests_for("/export_data");
    assert!(outcome.stderr.contains(keys(&requests)[0]), "{outcome:?}");
    let body: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(body["user_id"], program.user_id);
    assert_eq!((&body["start_date"], &body["end_date"]), (&json!("2025-01-01"), &json!("2025-01-31")));
    assert_eq!((&body["include_all_workspaces"], body.get("workspace_ids")), (&json!(true), None));
    assert_eq!(body["export_fields"].as_array().unwrap().len(), 11);
    assert_eq!(requests[0].method, "POST");
}

#[test]
fn a_scope_and_fields_are_asked_for() {
    let (program, export) = (Program::new(), Export::new(0));
    let server = serve(move |_| accepted(&export.id));
    let args = [
        "start",
        "--start-date",
        "a",
        "--end-date",
        "b",
        "--workspace",
        "w1,w2",
        "--workspace",
        "w3",
        "--workbook",
        "k",
    ];
    let more = ["--personal-workspaces", "--organization-workspaces", "--fields", "run_id,credit_cost"];
    program.run(&server.url, &[&args[..], &more].concat()).ended(0);
    let body: Value = serde_json::from_slice(&server.all_requests()[0].body).unwrap();
    assert_eq!(body["workspace_ids"], json!(["w1", "w2", "w3"]));
    assert_eq!(body["entity_ids"], json!(["k"]));
    assert_eq!(body["export_fields"], json!(["run_id", "credit_cost"]));
    assert_eq!(
        (&body["include_personal_workspaces"], &body["include_organization_workspaces"]),
        (&json!(true), &json!(true))
    );
    program.run(&server.url, &args[..5]).ended(2).says(&["--all-workspaces"]);
    program.run(&server.url, &[&JANUARY[..], &["--fields", "shoe_size"]].concat()).ended(2).says(&["run_id"]);
}

#[test]
fn a_lost_answer_is_asked_for_again_with_the_same_key() {
    let (program, export) = (Program::new(), Export::new(0));
    let id = export.id.clone();
    let server = serve(move |count| match count {
        0 => Reply::none(),
        1 => accepted(&id).cut_after(20),
        2 => Reply::new(503, "<html>"),
        _ => accepted(&id),
    });
    let outcome = program.run(&server.url, &[&JANUARY[..], &["--json"]].concat()).ended(0);
    let requests = server.all_requests();
    let keys = keys(&requests);
    assert_eq!((keys.len(), &outcome.json()["data_export_id"]), (4, &json!(export.id)));
    assert!(keys.iter().all(|key| *key == keys[0]) && keys[0].len() >= 32, "{keys:?}");
    assert!(requests.iter().all(|request| request.body == requests[0].body));
    assert_eq!(outcome.json()["idempotency_key"], keys[0]);
}

#[test]
fn another_start_has_another_key_unless_it_is_given() {
    let (program, export) = (Program::new(), Export::new(0));
    let server = serve(move |_| accepted(&export.id));
    program.run(&server.url, &JANUARY).ended(0);
    program.run(&server.url, &JANUARY).ended(0);
    let own = random("key");
    program.run(&server.url, &[&JANUARY[..], &["--idempotency-key", &own]].concat()).ended(0);
    let requests = server.all_requests();
    let keys = keys(&requests);
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[2], own);
}

#[test]
fn a_busy_api_is_asked_again_when_it_says() {
    let (program, export) = (Program::new(), Export::new(0));
    let server = serve(move |count| match count {
        0 => problem(429, "Three exports run already.").with("retry-after", "2"),
        _ => accepted(&export.id),
    });
    let started = Instant::now();
    program.run(&server.url, &JANUARY).ended(0).says(&["Three exports run already", "Trying again in 2.0 s"]);
    assert!(started.elapsed() >= Duration::from_secs(2));
}

#[test]
fn where_nobody_knows_whether_it_was_started_the_key_is_told() {
    let program = Program::new();
    let server = serve(|_| problem(429, "Busy.").with("retry-after", "86400"));
    let outcome = program.run(&server.url, &JANUARY).ended(9);
    let requests = server.all_requests();
    assert_eq!(requests.len(), 1, "a day is not waited for");
    outcome.says(&["Busy.", "may have been started", &format!("--idempotency-key {}", keys(&requests)[0])]);
    let server = serve(|_| Reply::none());
    let outcome = program.run(&server.url, &[&JANUARY[..], &["--json"]].concat()).ended(9);
    let requests = server.all_requests();
    assert_eq!(requests.len(), 5);
    let error = outcome.error_json();
    assert_eq!((&error["error"], &error["exit_code"]), (&json!("unavailable"), &json!(9)));
    assert_eq!((error["idempotency_key"].as_str(), outcome.stdout.as_str()), (Some(keys(&requests)[0]), ""));
}

#[test]
fn a_refusal_is_told_and_not_repeated() {
    for (status, code) in [(400, 1), (401, 3), (403, 3), (404, 6), (422, 1)] {
        let program = Program::new();
        let server = serve(move |_| problem(status, "end_date is before start_date."));
        let outcome = program.run(&server.url, &JANUARY).ended(code);
        outcome.says(&["end_date is before start_date.", &format!("HTTP {status}"), "req-7"]);
        assert_eq!(server.all_requests().len(), 1);
    }
}

#[test]
fn a_redirect_of_a_request_is_not_followed() {
    let (program, elsewhere) = (Program::new(), serve(|_| Reply::new(200, "{}")));
    for status in [301, 302, 307, 308] {
        let location = format!("{}/export_data", elsewhere.url);
        let server = serve(move |_| Reply::new(status, "").with("location", location.clone()));
        program.run(&server.url, &JANUARY).ended(1).says(&["not one of this API"]);
    }
    assert!(elsewhere.all_requests().is_empty());
}

#[test]
fn one_command_goes_from_the_request_to_the_file() {
    let (program, export) = (Program::new(), Export::new(400_000));
    let (of_server, mut looks) = (export.clone(), 0);
    let server = Server::start(move |request, url| {
        if request.is_for("/export_data") {
            return accepted(&of_server.id);
        }
        if request.is_for("/bucket") {
            return of_server.object(request);
        }
        looks += 1;
        let mut status = of_server.status();
        match looks {
            1 => status["state"] = "REQUESTED".into(),
            2 => (status["state"], status["progress"]) = ("IN_PROGRESS".into(), 40.into()),
            _ => return of_server.answer(request, url, Place::Bucket),
        }
        json_reply(&status)
    });
    let args = [&JANUARY[..], &["--wait", "--output", "january.csv"]].concat();
    let outcome = program.run(&server.url, &args).ended(0);
    assert_eq!(outcome.stdout, "january.csv\n");
    assert_eq!(
        (program.files(), program.read("january.csv")),
        (vec!["january.csv".to_owned()], export.file.clone())
    );
    outcome.says(&["40 %  IN_PROGRESS", &export.id, "as they were written"]);
    let requests = server.all_requests().len();
    program.run(&server.url, &args).ended(2).says(&["january.csv is there already"]);
    assert_eq!(server.all_requests().len(), requests, "no export was started in vain");
    let json = program.run(&server.url, &[&args[..], &["--force", "--json"]].concat()).ended(0).json();
    assert_eq!((&json["file"], &json["state"]), (&json!("january.csv"), &json!("COMPLETED")));
    assert!(json["idempotency_key"].is_string());
}
