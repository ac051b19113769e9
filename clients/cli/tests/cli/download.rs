//! `usage-export download`: what is left under the file's name, and what is not.

use std::fs::File;

use serde_json::{Value, json};

use crate::program::Program;
use crate::server::{Reply, Server};
use crate::world::{Export, Place, SIGNATURE, json_reply, problem};

#[test]
fn a_small_file_is_in_the_answer() {
    let (program, export) = (Program::new(), Export::new(5000));
    let server = export.serve_inline();
    let outcome = program.run(&server.url, &["download", &export.id, "--output", "a.csv"]).ended(0);
    assert_eq!(outcome.stdout, "a.csv\n");
    assert_eq!((program.files(), program.read("a.csv")), (vec!["a.csv".to_owned()], export.file));
}

#[test]
fn without_a_name_the_file_gets_that_of_its_dates() {
    let (program, export) = (Program::new(), Export::new(10));
    let server = export.serve_inline();
    let outcome = program.run(&server.url, &["download", &export.id, "--json"]).ended(0);
    let name = format!("usage-export_2025-01-01_2025-01-31_{}.csv", export.id.rsplit('-').next().unwrap());
    assert_eq!((outcome.json()["file"].as_str(), outcome.stderr.as_str()), (Some(name.as_str()), ""));
    assert_eq!(program.read(&name), export.file);
}

#[test]
fn the_key_goes_to_the_api_and_nowhere_else() {
    let (program, export) = (Program::new(), Export::new(300_000));
    let server = export.serve(|export, request, _| export.object(request));
    let outcome = program.run(&server.url, &["download", &export.id, "-o", "a.csv"]).ended(0);
    assert_eq!(program.read("a.csv"), export.file);
    for request in server.all_requests() {
        let expected = (!request.is_for("/bucket")).then(|| format!("Bearer {}", program.key));
        assert_eq!(request.header("authorization"), expected.as_deref(), "{request:?}");
    }
    assert!(!format!("{outcome:?}").contains(SIGNATURE), "{outcome:?}");
}

#[test]
fn a_redirect_to_somewhere_unsafe_is_not_followed() {
    for location in
        ["http://files.example.com/key?X-Amz-Signature=5ec2e7", "/bucket?X-Amz-Signature=5ec2e7", "ftp://a/b"]
    {
        let (program, export) = (Program::new(), Export::new(100));
        let of_server = export.clone();
        let server = Server::start(move |request, url| {
            if request.target.contains("download=true") {
                Reply::new(302, "").with("location", location)
            } else {
                of_server.answer(request, url, Place::Bucket)
            }
        });
        let outcome = program.run(&server.url, &["download", &export.id, "-o", "a.csv"]).ended(1);
        assert!(outcome.stderr.contains("unsafe") && !outcome.stderr.contains(SIGNATURE), "{outcome:?}");
        assert!(server.requests_for("/bucket").is_empty());
        assert!(!program.files().contains(&"a.csv".to_owned()));
    }
}

#[test]
fn a_file_with_another_checksum_is_not_kept() {
    for place in [Place::Inline, Place::Bucket] {
        let (program, export) = (Program::new(), Export::new(100_000));
        let mut other = export.clone();
        other.file[50_000] ^= 1;
        let of_server = export.clone();
        let server = Server::start(move |request, url| {
            if request.is_for("/bucket") {
                other.object(request)
            } else if request.target.contains("download=true") {
                other.answer(request, url, place)
            } else {
                of_server.answer(request, url, place)
            }
        });
        program
            .run(&server.url, &["download", &export.id, "-o", "a.csv"])
            .ended(7)
            .says(&["checksum", "Nothing was kept"]);
        assert_eq!(program.files(), Vec::<String>::new());
    }
}

#[test]
fn a_file_that_is_too_short_or_too_long_is_not_kept() {
    for change in [-1_i64, 1] {
        let (program, export) = (Program::new(), Export::new(1000));
        let server = export.serve(move |export, request, _| {
            let mut other = export.clone();
            other.file.resize((1000 + change).try_into().unwrap(), 7);
            other.object(request)
        });
        program.run(&server.url, &["download", &export.id, "-o", "a.csv"]).ended(7).says(&["size"]);
        assert_eq!(program.files(), Vec::<String>::new());
    }
}

#[test]
fn a_file_that_is_there_stays_unless_forced() {
    let (program, export) = (Program::new(), Export::new(1000));
    let server = export.serve_inline();
    program.write("a.csv", "mine");
    let args = ["download", &export.id, "--output", "a.csv"];
    program.run(&server.url, &args).ended(2).says(&["a.csv is there already", "--force"]);
    assert!(server.all_requests().is_empty(), "nothing was asked for in vain");
    assert_eq!(program.read("a.csv"), b"mine");
    program.run(&server.url, &[&args[..], &["--force"]].concat()).ended(0);
    assert_eq!((program.files(), program.read("a.csv")), (vec!["a.csv".to_owned()], export.file));
}

#[test]
fn a_part_of_another_program_stays() {
    let (program, export) = (Program::new(), Export::new(1000));
    let server = export.serve_inline();
    program.write("a.csv.part", "of a browser");
    program
        .run(&server.url, &["download", &export.id, "-o", "a.csv"])
        .ended(2)
        .says(&["a.csv.part is there already"]);
    assert_eq!(program.read("a.csv.part"), b"of a browser");
}

#[test]
fn two_downloads_do_not_write_to_one_file() {
    let (program, export) = (Program::new(), Export::new(1000));
    let server = export.serve_inline();
    program.write("a.csv.part.json", "{}");
    let held = File::create(program.path("a.csv.part")).unwrap();
    held.lock().unwrap();
    program.run(&server.url, &["download", &export.id, "-o", "a.csv"]).ended(2).says(&["Another download"]);
    drop(held);
    program.run(&server.url, &["download", &export.id, "-o", "a.csv"]).ended(0);
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_part_is_not_followed() {
    let (program, export) = (Program::new(), Export::new(1000));
    let server = export.serve_inline();
    program.write("precious", "precious");
    std::os::unix::fs::symlink(program.path("precious"), program.path("a.csv.part")).unwrap();
    program.run(&server.url, &["download", &export.id, "-o", "a.csv", "--force"]).ended(1);
    assert_eq!(program.read("precious"), b"precious");
}

#[test]
fn a_file_that_has_expired_or_is_not_ready_is_told_apart() {
    let (program, export) = (Program::new(), Export::new(10));
    let of_server = export.clone();
    let server = Server::start(move |request, url| {
        if request.target.contains("download=true") {
            problem(404, "The file of this export has expired.")
        } else {
            of_server.answer(request, url, Place::Inline)
        }
    });
    program.run(&server.url, &["download", &export.id]).ended(6).says(&["has expired", "HTTP 404", "req-7"]);
    let mut status = export.status();
    status["state"] = "IN_PROGRESS".into();
    let server = Server::start(move |_, _| json_reply(&status));
    program.run(&server.url, &["download", &export.id]).ended(8).says(&["IN_PROGRESS", "usage-export wait"]);
}

#[test]
fn a_file_that_cannot_be_verified_is_not_downloaded() {
    for (name, value) in [("checksum", "sha256:00"), ("checksum", ""), ("size_bytes", "")] {
        let (program, export) = (Program::new(), Export::new(10));
        let mut status = export.status();
        status[name] = if value.is_empty() { Value::Null } else { value.into() };
        let server = Server::start(move |_, _| json_reply(&status));
        program.run(&server.url, &["download", &export.id]).ended(7).says(&["cannot be verified"]);
    }
}

#[test]
fn the_manifest_is_saved_beside_the_file_if_it_is_of_that_file() {
    let (program, export) = (Program::new(), Export::new(100));
    let of_server = export.clone();
    let server = Server::start(move |request, url| {
        if !request.target.contains("manifest=true") {
            return of_server.answer(request, url, Place::Inline);
        }
        let status = of_server.status();
        json_reply(&json!({"bytes": status["size_bytes"], "checksum": status["checksum"], "rows": 1}))
    });
    program
        .run(&server.url, &["download", &export.id, "-o", "a.csv", "--manifest"])
        .ended(0)
        .says(&["a.manifest.json"]);
    assert_eq!(program.files(), ["a.csv", "a.manifest.json"]);
    let of_server = export.clone();
    let server = Server::start(move |request, url| {
        if request.target.contains("manifest=true") {
            json_reply(&json!({"bytes": 100, "checksum": "crc32:00000000"}))
        } else {
            of_server.answer(request, url, Place::Inline)
        }
    });
    program.run(&server.url, &["download", &export.id, "-o", "b.csv", "--manifest"]).ended(7);
    assert_eq!(program.files(), ["a.csv", "a.manifest.json", "b.csv"]);
}
