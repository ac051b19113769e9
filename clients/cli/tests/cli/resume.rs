//! Downloads that break off and go on.

use std::time::Duration;

use crate::program::{Program, outcome};
use crate::server::{Reply, Request, Server};
use crate::world::{Export, Place, SIGNATURE};

const SIZE: usize = 700_000;

fn ranges(requests: &[Request]) -> Vec<Option<String>> {
    requests.iter().map(|request| request.header("range").map(str::to_owned)).collect()
}

/// Lets a download break off after so many bytes, and end.
fn leave_part(program: &Program, export: &Export, bytes: usize) {
    let server = export.serve(move |export, request, count| match count {
        0 => export.object(request).cut_after(bytes),
        _ => Reply::new(418, ""),
    });
    program
        .run(&server.url, &["download", &export.id, "-o", "a.csv"])
        .ended(9)
        .says(&["HTTP 418", "go on with"]);
    assert_eq!(program.files(), ["a.csv.part", "a.csv.part.json"]);
    assert_eq!(program.read("a.csv.part"), export.file[..bytes]);
}

#[test]
fn a_broken_connection_goes_on_where_it_was() {
    let (program, export) = (Program::new(), Export::new(SIZE));
    let server = export.serve(|export, request, count| match count {
        0 => export.object(request).cut_after(100_000),
        1 => export.object(request).cut_after(200_000),
        _ => export.object(request),
    });
    let outcome = program.run(&server.url, &["download", &export.id, "-o", "a.csv"]).ended(0);
    assert_eq!((program.files(), program.read("a.csv")), (vec!["a.csv".to_owned()], export.file.clone()));
    let requests = server.requests_for("/bucket");
    assert_eq!(ranges(&requests), [None, Some("bytes=100000-".into()), Some("bytes=300000-".into())]);
    assert_eq!(requests[1].header("if-match"), Some(export.etag().as_str()));
    assert!(!format!("{outcome:?}").contains(SIGNATURE), "{outcome:?}");
}

#[test]
fn an_expired_address_is_asked_for_anew() {
    let (program, export) = (Program::new(), Export::new(SIZE));
    let server = export.serve(|export, request, count| match count {
        0 => export.object(request).cut_after(100_000),
        1 => Reply::new(403, format!("<Error>Request has expired {SIGNATURE}</Error>")),
        _ => export.object(request),
    });
    let outcome = program.run(&server.url, &["download", &export.id, "-o", "a.csv"]).ended(0);
    assert!(program.read("a.csv") == export.file);
    assert_eq!(ranges(&server.requests_for("/bucket"))[2], Some("bytes=100000-".into()));
    let asked =
        server.requests_for("/export_status").iter().filter(|of| of.target.contains("download=true")).count();
    assert_eq!(asked, 3, "each request has a fresh address");
    assert!(!outcome.stderr.contains(SIGNATURE), "{outcome:?}");
}

#[test]
fn another_run_goes_on_where_the_first_one_ended() {
    let (program, export) = (Program::new(), Export::new(SIZE));
    leave_part(&program, &export, 250_000);
    let server = export.serve(|export, request, _| export.object(request));
    program
        .run(&server.url, &["download", &export.id, "-o", "a.csv"])
        .ended(0)
        .says(&["Going on after 250000 bytes"]);
    assert_eq!((program.files(), program.read("a.csv")), (vec!["a.csv".to_owned()], export.file));
    assert_eq!(ranges(&server.requests_for("/bucket")), [Some("bytes=250000-".into())]);
}

#[test]
fn a_part_of_another_export_is_not_gone_on_with() {
    let (program, first, second) = (Program::new(), Export::new(SIZE), Export::new(SIZE));
    leave_part(&program, &first, 250_000);
    let server = second.serve(|export, request, _| export.object(request));
    program.run(&server.url, &["download", &second.id, "-o", "a.csv"]).ended(0);
    assert!(program.read("a.csv") == second.file);
    assert_eq!(ranges(&server.requests_for("/bucket")), [None]);
}

/// The object is replaced after a part of it has arrived: by what the API describes, or by something else. The server knows
/// conditions, or leaves `If-Match` and the `ETag` out.
#[test]
fn a_changed_object_is_downloaded_from_its_beginning() {
    for knows_conditions in [true, false] {
        let (program, export) = (Program::new(), Export::new(SIZE));
        leave_part(&program, &export, 250_000);
        // What is here is of an object that is no more.
        let mut part = program.read("a.csv.part");
        part[1000] ^= 1;
        program.write("a.csv.part", part);
        let origin = String::from_utf8(program.read("a.csv.part.json")).unwrap();
        program.write("a.csv.part.json", origin.replace(&export.etag()[1..11], "00000000-1"));
        let server = export.serve(move |export, request, _| {
            if knows_conditions {
                return export.object(request);
            }
            let from = request.header("range").map_or(0, |_| 250_000);
            let reply = Reply::new(if from == 0 { 200 } else { 206 }, &export.file[from..]);
            reply.with("content-range", format!("bytes {from}-{}/{SIZE}", SIZE - 1))
        });
        program
            .run(&server.url, &["download", &export.id, "-o", "a.csv"])
            .ended(0)
            .says(&["from the beginning"]);
        assert!(program.read("a.csv") == export.file);
        assert_eq!(ranges(&server.requests_for("/bucket")), [Some("bytes=250000-".into()), None]);
    }
}

#[test]
fn answers_of_different_objects_are_not_joined() {
    let (program, export) = (Program::new(), Export::new(SIZE));
    let server = export.serve(|export, request, count| match count {
        0 => Reply::new(200, export.file.clone()).cut_after(100_000),
        // Without an ETag that would tell.
        1 => Reply::new(206, vec![7; SIZE - 100_000])
            .with("content-range", format!("bytes 100000-{}/{SIZE}", SIZE - 1)),
        _ => export.object(request),
    });
    program
        .run(&server.url, &["download", &export.id, "-o", "a.csv"])
        .ended(0)
        .says(&["checksum", "from the beginning"]);
    assert!(program.read("a.csv") == export.file);
}

#[test]
fn a_server_without_ranges_sends_the_whole_file() {
    let (program, export) = (Program::new(), Export::new(SIZE));
    leave_part(&program, &export, 250_000);
    let server = export.serve(|export, _, _| Reply::new(200, export.file.clone()));
    program.run(&server.url, &["download", &export.id, "-o", "a.csv"]).ended(0);
    assert!(program.read("a.csv") == export.file);
}

#[test]
fn another_range_than_asked_for_is_not_taken() {
    let (program, export) = (Program::new(), Export::new(SIZE));
    leave_part(&program, &export, 250_000);
    let server = export.serve(|export, request, count| match count {
        0 => Reply::new(206, &export.file[300_000..])
            .with("content-range", format!("bytes 300000-{}/{SIZE}", SIZE - 1)),
        _ => export.object(request),
    });
    program.run(&server.url, &["download", &export.id, "-o", "a.csv"]).ended(0);
    assert!(program.read("a.csv") == export.file);
}

#[test]
fn a_small_file_that_breaks_off_is_sent_again() {
    let (program, export) = (Program::new(), Export::new(5000));
    let (of_server, mut count) = (export.clone(), 0);
    let server = Server::start(move |request, url| {
        let reply = of_server.answer(request, url, Place::Inline);
        count += usize::from(request.target.contains("download=true"));
        if count == 1 { reply.cut_after(1000) } else { reply }
    });
    program.run(&server.url, &["download", &export.id, "-o", "a.csv"]).ended(0);
    assert_eq!((program.files(), program.read("a.csv")), (vec!["a.csv".to_owned()], export.file));
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_part_and_says_how_to_go_on() {
    let (program, export) = (Program::new(), Export::new(SIZE));
    let server = export.serve(|export, request, count| {
        if count > 0 {
            std::thread::sleep(Duration::from_mins(1));
        }
        export.object(request).cut_after(100_000)
    });
    let child = program.spawn(&server.url, &["download", &export.id, "-o", "a.csv"]);
    while server.requests_for("/bucket").len() < 2 {
        std::thread::sleep(Duration::from_millis(20));
    }
    interrupt(&child);
    outcome(child.wait_with_output().unwrap())
        .ended(130)
        .says(&["go on with `usage-export download", &export.id]);
    assert_eq!(program.read("a.csv.part"), export.file[..100_000]);
    let server = export.serve(|export, request, _| export.object(request));
    program.run(&server.url, &["download", &export.id, "-o", "a.csv"]).ended(0);
    assert!(program.read("a.csv") == export.file);
}

/// What Ctrl-C does.
#[cfg(unix)]
pub fn interrupt(child: &std::process::Child) {
    let id = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
}
