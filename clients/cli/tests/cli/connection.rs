//! Where the API is, and the key for it.

use crate::program::{Program, run};
use crate::server::Server;
use crate::world::{Export, json_reply};

fn server_of(export: &Export) -> Server {
    let status = export.status();
    Server::start(move |_, _| json_reply(&status))
}

#[test]
fn the_key_comes_from_the_environment_or_a_file() {
    let (program, export) = (Program::new(), Export::new(1));
    let server = server_of(&export);
    program.run(&server.url, &["status", &export.id]).ended(0);
    program.write("key", "uex_of_file\n");
    set_mode(&program, 0o600);
    program.run(&server.url, &["status", &export.id, "--key-file", "key"]).ended(0);
    let keys: Vec<_> =
        server.all_requests().iter().map(|of| of.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(keys, [format!("Bearer {}", program.key), "Bearer uex_of_file".to_owned()]);
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let (program, export) = (Program::new(), Export::new(1));
    let server = server_of(&export);
    program.write("key", "uex_of_file");
    for mode in [0o640, 0o604, 0o644, 0o666] {
        set_mode(&program, mode);
        program
            .run(&server.url, &["status", &export.id, "--key-file", "key"])
            .ended(2)
            .says(&["chmod 600 key"]);
    }
    assert!(server.all_requests().is_empty());
}

#[test]
fn there_is_no_option_for_the_key() {
    let program = Program::new();
    for option in ["--key", "--api-key", "--token"] {
        program.run("http://127.0.0.1:9", &["list", option, "uex_1"]).ended(2);
    }
}

#[test]
fn what_is_missing_is_named() {
    let program = Program::new();
    for (variable, option) in [
        ("USAGE_EXPORT_URL", "--url"),
        ("USAGE_EXPORT_USER_ID", "--user-id"),
        ("USAGE_EXPORT_KEY", "--key-file"),
    ] {
        let outcome = run(program.command("http://127.0.0.1:9", &["list"]).env_remove(variable));
        outcome.ended(2).says(&[variable, option]);
    }
    program.write("key", "");
    set_mode(&program, 0o600);
    program
        .run("http://127.0.0.1:9", &["list", "--key-file", "key"])
        .ended(2)
        .says(&["does not hold an API key"]);
    program
        .run("http://127.0.0.1:9", &["list", "--key-file", "none"])
        .ended(1)
        .says(&["none cannot be read"]);
}

#[test]
fn plain_http_is_for_this_machine_only() {
    let program = Program::new();
    for url in ["http://api.example.com", "http://10.0.0.1:8080", "example.com"] {
        program.run(url, &["list"]).ended(2).says(&["https://"]);
    }
    program.run("http://127.0.0.1@example.com/", &["list"]).ended(2).says(&["without user name"]);
}

#[test]
fn a_proxy_does_not_see_what_stays_on_this_machine() {
    let (program, export) = (Program::new(), Export::new(1));
    let server = server_of(&export);
    let mut command = program.command(&server.url, &["status", &export.id]);
    run(command.env("HTTP_PROXY", "http://127.0.0.1:9").env("ALL_PROXY", "http://127.0.0.1:9")).ended(0);
}

#[test]
fn a_url_may_have_a_path() {
    let (program, export) = (Program::new(), Export::new(1));
    let server = server_of(&export);
    program.run(&format!("{}/api/v1/", server.url), &["status", &export.id]).ended(0);
    let request = &server.requests_for("/api/v1/export_status")[0];
    let user_id = program.user_id.replace(' ', "+").replace('&', "%26");
    assert!(request.target.contains(&format!("user_id={user_id}&")), "{request:?}");
}

#[test]
fn another_server_is_recognized() {
    let (program, export) = (Program::new(), Export::new(1));
    for answer in ["<html>Welcome</html>", "{}", "[]", "{\"state\": 7}"] {
        let server = Server::start(move |_, _| crate::server::Reply::new(200, answer));
        program.run(&server.url, &["status", &export.id]).ended(1).says(&["not one of this API"]);
        program.run(&server.url, &["list"]).ended(1).says(&["not one of this API"]);
    }
}

#[cfg(unix)]
fn set_mode(program: &Program, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;

    std::fs::set_permissions(program.path("key"), std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &Program, _: u32) {}
