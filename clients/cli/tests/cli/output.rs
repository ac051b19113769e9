//! What is printed, whatever a server sends.

use serde_json::{Value, json};

use crate::program::{Outcome, Program};
use crate::server::{Reply, Server};
use crate::world::{Export, json_reply, problem};

/// Clears the screen, sets the title, hides, reorders, in 7 and 8 bits.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\n\u{9b}31m\u{202e}\u{200b}\u{7f}end";

fn assert_inert(outcome: &Outcome) {
    for text in [&outcome.stdout, &outcome.stderr] {
        let obeyed =
            text.chars().find(|c| (c.is_control() && *c != '\n') || ['\u{202e}', '\u{200b}'].contains(c));
        assert_eq!(obeyed, None, "{outcome:?}");
    }
    let everything = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(everything.contains("end"), "{outcome:?}");
}

#[test]
fn a_terminal_obeys_nothing_that_a_server_sends() {
    let (program, export) = (Program::new(), Export::new(1));
    for flags in [&[][..], &["--json"]] {
        let server = Server::start(|_, _| problem(400, HOSTILE));
        assert_inert(&program.run(&server.url, &[&["list"], flags].concat()).ended(1));
        let mut status = export.status();
        for name in ["error", "created_ts", "start_ts", "end_ts", "checksum"] {
            status[name] = HOSTILE.into();
        }
        status["state"] = "FAILED".into();
        let of_server = status.clone();
        let server = Server::start(move |_, _| json_reply(&of_server));
        assert_inert(&program.run(&server.url, &[&["wait", export.id.as_str()], flags].concat()).ended(4));
        status["user_email"] = HOSTILE.into();
        let server = Server::start(move |_, _| json_reply(&json!({"exports": [status]})));
        assert_inert(&program.run(&server.url, &[&["list"], flags].concat()).ended(0));
    }
}

#[test]
fn an_unknown_state_is_told_without_its_text() {
    let (program, export) = (Program::new(), Export::new(1));
    let mut status = export.status();
    status["state"] = HOSTILE.into();
    let server = Server::start(move |_, _| json_reply(&status));
    assert_inert(&program.run(&server.url, &["status", &export.id]).ended(1));
}

#[test]
fn an_endless_answer_is_not_read() {
    let (program, export) = (Program::new(), Export::new(1));
    let server = Server::start(|_, _| Reply::new(200, vec![b' '; 5_000_000]));
    program.run(&server.url, &["status", &export.id]).ended(1).says(&["too large"]);
}

#[test]
fn the_history_comes_in_pages() {
    let exports: Vec<_> = (0..50).map(|_| Export::new(1)).collect();
    let ids: Vec<_> = exports.iter().map(|export| export.id.clone()).collect();
    let server = Server::start(move |request, _| {
        let from: usize = request.target.split("cursor=c").nth(1).map_or(0, |from| from.parse().unwrap());
        let page: Vec<_> = exports[from..].iter().take(20).map(Export::status).collect();
        let mut document = json!({"exports": page});
        if from + 20 < exports.len() {
            document["next_cursor"] = format!("c{}", from + 20).into();
        }
        json_reply(&document)
    });
    let program = Program::new();
    for (limit, requests) in [("20", 1), ("45", 3), ("1000", 3)] {
        let before = server.all_requests().len();
        let listed =
            program.run(&server.url, &["list", "--json", "--mine", "--limit", limit]).ended(0).json();
        let listed: Vec<_> =
            listed["exports"].as_array().unwrap().iter().map(|of| of["data_export_id"].clone()).collect();
        assert_eq!(
            listed,
            ids[..limit.parse::<usize>().unwrap().min(50)].iter().map(|id| json!(id)).collect::<Vec<Value>>()
        );
        assert_eq!(server.all_requests().len() - before, requests);
    }
    assert!(server.all_requests().iter().all(|request| request.target.contains("mine=true")));
    let table = program.run(&server.url, &["list"]).ended(0).stdout;
    assert_eq!(table.lines().count(), 21, "{table}");
    assert!(
        table.lines().nth(1).unwrap().contains("COMPLETED     2025-01-01 - 2025-01-31        1,234"),
        "{table}"
    );
}

#[test]
fn an_empty_history_is_said() {
    let server = Server::start(|_, _| json_reply(&json!({"exports": []})));
    assert_eq!(Program::new().run(&server.url, &["list"]).ended(0).stdout, "There are no exports.\n");
}
