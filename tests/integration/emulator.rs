//! Where the emulator is not AWS: the scripts of `docs/ministack` show it.

use std::fs;
use std::path::{Path, PathBuf};

use futures::stream::{self, StreamExt};
use integration_tests::run;
use integration_tests::system::{given, system};
use tokio::process::Command;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
/// Few, because other tests want the processors too.
const SCRIPTS_AT_A_TIME: usize = 2;

#[test]
fn every_known_difference_to_aws_is_still_there() {
    run(async {
        let complaints = stream::iter(scripts()).map(complaint).buffer_unordered(SCRIPTS_AT_A_TIME);
        let complaints: Vec<_> = complaints.filter_map(async |complaint| complaint).collect().await;
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    });
}

#[test]
fn every_known_difference_to_aws_is_in_the_table() {
    let table = fs::read_to_string(format!("{DOCS}/emulators.md")).unwrap();
    for script in scripts() {
        assert!(table.contains(&format!("(ministack/{})", name(&script))), "{}", script.display());
    }
}

fn scripts() -> Vec<PathBuf> {
    let files = fs::read_dir(format!("{DOCS}/ministack")).unwrap().map(|entry| entry.unwrap().path());
    let scripts: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "py")).collect();
    assert!(!scripts.is_empty());
    scripts
}

fn name(script: &Path) -> &str {
    script.file_name().unwrap().to_str().unwrap()
}

/// What to do about a script that does not show its difference.
async fn complaint(script: PathBuf) -> Option<String> {
    let mut python = Command::new(given("USAGE_EXPORT_EMULATOR_PYTHON"));
    python.arg(&script).env_clear().envs(system().outputs.aws_variables()).kill_on_drop(true);
    // Nothing of the caller's settings for AWS.
    python.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    let output = python.output().await.unwrap();
    let (name, said) = (name(&script), String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(0) => None,
        Some(1) if !said.contains("Traceback") => Some(format!(
            "MiniStack does as AWS now: {}. docs/ministack/{name}, its place in docs/emulators.md and what stands in for it can go",
            said.trim_end()
        )),
        _ => Some(format!("docs/ministack/{name} does not work ({}): {said}", output.status)),
    }
}
