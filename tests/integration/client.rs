//! The client for the command line, against the deployed system. Its own tests have the failures: `clients/cli/tests`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use integration_tests::export::{FIELDS, request};
use integration_tests::files::{MAX_INLINE_BYTES, etag_of_file, fill_large};
use integration_tests::org::{Caller, TestOrg};
use integration_tests::records::{id_of, new_record, put_active, put_record};
use integration_tests::runs::Run;
use integration_tests::system::{given, now, system};
use integration_tests::terminal::Terminal;
use integration_tests::{random_id, with_org};

const JANUARY: [&str; 5] =
    ["start", "--start-date=2025-01-01", "--end-date", "2025-01-31", "--all-workspaces"];

/// A user at a shell.
struct Shell {
    folder: TempDir,
    caller: Caller,
}

impl Shell {
    fn of(caller: &Caller) -> Self {
        Self { folder: TempDir::new().unwrap(), caller: caller.clone() }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(given("USAGE_EXPORT_CLIENT"));
        command.args(args).current_dir(self.folder.path()).env("USAGE_EXPORT_URL", &system().outputs.api_url);
        command.env("USAGE_EXPORT_USER_ID", &self.caller.user_id).env("USAGE_EXPORT_KEY", &self.caller.key);
        command
    }

    /// Runs the client, asserts its exit code, and returns what it printed.
    async fn run(&self, args: &[&str], code: i32) -> String {
        let mut command = self.command(args);
        // Other tests share the runtime's threads.
        let output: Output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    async fn json(&self, args: &[&str], code: i32) -> Value {
        serde_json::from_str(&self.run(&[args, &["--json"]].concat(), code).await).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }
}

async fn write_some_runs(org: &TestOrg) {
    let workspace = org.add_workspace("Sales, EU").await;
    let starts: Vec<_> = (10..31).map(|day| format!("2025-01-{day}T08:00:00.000Z")).collect();
    org.write_runs_at(&workspace, &starts.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

#[test]
fn one_command_makes_the_file_and_another_verifies_it() {
    with_org(async |org| {
        write_some_runs(&org).await;
        let shell = Shell::of(&org.caller);
        let args = [&JANUARY[..], &["--wait", "--output", "january.csv"]].concat();
        let export = shell.json(&args, 0).await;
        let id = export["data_export_id"].as_str().unwrap();
        org.exports().add(id);
        let file = org.finished_export(id).await.file;
        assert!(shell.read("january.csv") == file);
        assert!(
            String::from_utf8(file).unwrap().starts_with(&FIELDS.join(",")),
            "every field is the default"
        );
        assert_eq!((&export["row_count"], &export["state"]), (&json!(21), &json!("COMPLETED")));
        shell.run(&["download", id, "--output", "january.csv"], 2).await;
        shell.run(&["download", id, "--output", "january.csv", "--force", "--manifest"], 0).await;
        assert!(shell.path("january.manifest.json").is_file());
        let verified =
            Command::new(given("USAGE_EXPORT_XTASK")).arg("verify").arg(shell.path("january.csv")).output();
        let verified = verified.unwrap();
        assert!(verified.status.success(), "{verified:?}");
    });
}

#[test]
fn the_steps_work_one_by_one() {
    with_org(async |org| {
        write_some_runs(&org).await;
        let shell = Shell::of(&org.caller);
        let key = random_id("key");
        let start = [&JANUARY[..], &["--fields", "run_id", "--idempotency-key", &key]].concat();
        let id = shell.run(&start, 0).await;
        let id = id.trim();
        org.exports().add(id);
        assert_eq!(shell.run(&start, 0).await.trim(), id, "the same key starts no second export");
        shell.run(&[&start[..], &["--workbook", "wbk_1"]].concat(), 1).await;
        assert!(shell.run(&["wait", id], 0).await.contains("COMPLETED, 21 rows"));
        let name = shell.run(&["download", id], 0).await;
        assert!(name.starts_with("usage-export_2025-01-01_2025-01-31_"), "{name}");
        assert_eq!(String::from_utf8(shell.read(name.trim())).unwrap().lines().next(), Some("run_id"));
        let listed = shell.json(&["list"], 0).await;
        assert_eq!(listed["exports"][0]["data_export_id"], id);
        assert!(shell.run(&["list", "--mine"], 0).await.contains(id));
        shell.run(&["cancel", id], 1).await;
    });
}

#[test]
fn a_cancelled_export_has_an_exit_code_of_its_own() {
    with_org(async |org| {
        let record = new_record(&org, &org.caller, now());
        let id = id_of(&record);
        put_record(&record).await;
        put_active(&org, vec![id.clone()]).await;
        let shell = Shell::of(&org.caller);
        shell.run(&["wait", &id, "--timeout", "1s"], 8).await;
        assert!(shell.run(&["cancel", &id], 0).await.contains("FAILED, 0 rows, cancelled"));
        shell.run(&["wait", &id], 5).await;
        shell.run(&["download", &id], 5).await;
    });
}

#[test]
fn a_key_acts_for_whom_it_may() {
    with_org(async |org| {
        let organization_key = org.add_organization_key().await;
        let other = org.add_admin().await;
        for (key, code) in [(organization_key, 0), (other.key, 3), ("uex_none".to_owned(), 3)] {
            let caller = Caller { user_id: org.caller.user_id.clone(), key };
            Shell::of(&caller).run(&["list"], code).await;
        }
        Shell::of(&org.caller).run(&["status", "0194c7a8-0000-7000-8000-000000000000"], 6).await;
    });
}

/// What a download of a large file leaves that breaks off after so many bytes.
async fn leave_part(shell: &Shell, org: &TestOrg, id: &str, file: &[u8], etag: &str) {
    std::fs::write(shell.path("large.csv.part"), file).unwrap();
    let status = org.finished_export(id).await.status;
    let origin = json!({"data_export_id": id, "size_bytes": status["size_bytes"], "checksum": status["checksum"], "etag": etag});
    std::fs::write(shell.path("large.csv.part.json"), origin.to_string()).unwrap();
}

#[test]
fn a_large_file_comes_from_the_bucket_and_goes_on_where_it_broke_off() {
    with_org(async |org| {
        fill_large(&org).await;
        let id = org.post_export(&request(&json!({"include_all_workspaces": true}))).await;
        let export = org.finished_export(&id).await;
        assert!(export.file.len() > MAX_INLINE_BYTES);
        let shell = Shell::of(&org.caller);
        shell.run(&["download", &id, "--output", "whole.csv"], 0).await;
        assert!(shell.read("whole.csv") == export.file);
        let etag = etag_of_file(&org, &id).await.unwrap();
        // Of the same object; of one that was another: the bucket says so.
        for (etag, resumed) in [(etag.as_str(), true), ("\"0123456789abcdef0123456789abcdef\"", false)] {
            leave_part(&shell, &org, &id, &export.file[..1_000_000], etag).await;
            let mut command = shell.command(&["download", &id, "--output", "large.csv", "--force"]);
            let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success() && said.contains("Going on after 1000000 bytes"), "{said}");
            assert_eq!(!said.contains("from the beginning"), resumed, "{said}");
            assert!(shell.read("large.csv") == export.file);
        }
    });
}

/// Enough runs that an export of them can be watched.
async fn write_many_runs(org: &TestOrg) {
    for (workspace, costs) in [("Sales operations", "0.0125"), ("Finance", "12.5")] {
        let workspace = org.add_workspace(workspace).await;
        let start = |run: u32| {
            let (day, second) = (run % 31 + 1, run / 31);
            format!(
                "2025-01-{day:02}T{:02}:{:02}:{:02}.000Z",
                8 + second / 3600,
                second / 60 % 60,
                second % 60
            )
        };
        let runs: Vec<_> = (0..20_000).map(|run| Run::new(&workspace, &start(run)).costing(costs)).collect();
        org.write_runs(&runs).await;
    }
}

/// Records the film of the README: `cargo xtask screenshots` says where it belongs. It is also the test of what a person sees.
#[test]
fn film_for_the_readme() {
    with_org(async |org| {
        org.set_email(&org.caller.user_id, "ada@example.com").await;
        write_many_runs(&org).await;
        let shell = Shell::of(&org.caller);
        let mut terminal = Terminal::new(13, 124);
        for line in [
            "usage-export start --start-date 2025-01-01 --end-date 2025-01-31 --all-workspaces --wait --output january.csv",
            "usage-export list",
        ] {
            terminal.show_command(line);
            let args: Vec<_> = line.split(' ').skip(1).collect();
            let mut command = shell.command(&args);
            command.env("TERM", "xterm-256color");
            assert!(terminal.run(command).success(), "{}", terminal.text());
        }
        let seen = terminal.text();
        assert!(seen.contains("january.csv\n") && seen.contains("as they were written"), "{seen}");
        assert!(
            seen.contains("COMPLETED     2025-01-01 - 2025-01-31       40,000  ada@example.com"),
            "{seen}"
        );
        let listed = shell.json(&["list"], 0).await;
        org.exports().add(listed["exports"][0]["data_export_id"].as_str().unwrap());
        if let Some(folder) = std::env::var_os("USAGE_EXPORT_README_PICTURES") {
            let svg =
                terminal.svg("usage-export makes an export, waits for it, saves its file, and lists it");
            std::fs::write(Path::new(&folder).join("usage-export.svg"), svg).unwrap();
        }
    });
}
