//! Help, completions and manual pages.

use crate::program::Program;

const NOWHERE: &str = "http://127.0.0.1:9";

#[test]
fn the_help_has_examples_and_every_exit_code() {
    let program = Program::new();
    let help = program.run(NOWHERE, &["--help"]).ended(0).stdout;
    assert!(help.contains("--wait --output"), "{help}");
    let codes = help.split_once("Exit codes:").unwrap().1;
    for code in (0..=9).chain([130]) {
        assert!(codes.lines().any(|line| line.trim_start().starts_with(&format!("{code} "))), "{code}");
    }
    assert!(!help.contains(&program.key), "{help}");
    for command in ["start", "wait", "status", "download", "list", "cancel", "completions", "man"] {
        program.run(NOWHERE, &[command, "--help"]).ended(0);
    }
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = Program::new().run(NOWHERE, &["completions", shell]).ended(0).stdout;
        assert!(script.contains("usage-export") && script.contains("idempotency-key"), "{shell}");
    }
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let program = Program::new();
    let page = program.run(NOWHERE, &["man"]).ended(0).stdout;
    assert!(page.contains(".TH usage") && page.contains("Exit codes"), "{page}");
    program.run(NOWHERE, &["man", "--output-dir", "man1"]).ended(0);
    for name in ["usage-export.1", "usage-export-start.1", "usage-export-download.1"] {
        assert!(program.path("man1").join(name).is_file(), "{name}");
    }
}
