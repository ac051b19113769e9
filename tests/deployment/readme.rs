//! README's section about deploying, as somebody pastes it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use integration_tests::system::system;
use integration_tests::{random_id, run};

use crate::sam::Stack;

const README: &str = include_str!("../../README.md");
const SECTION: &str = "## Deploy to AWS";

/// The commands of the section.
fn commands() -> &'static str {
    let section = README.split_once(SECTION).unwrap().1;
    section.split_once("```sh\n").unwrap().1.split_once("```").unwrap().0
}

/// What somebody answers to `sam deploy --guided`, which asks for the parameters in the order of the template. An empty line
/// takes what is proposed. The emulator needs one that AWS does not: `RequireTls`.
fn answers(stack: &str) -> String {
    let template = include_str!("../../template.yaml");
    let parameters = template.split_once("\nParameters:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let names = parameters.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    let names = names.filter(|name| !name.starts_with(' '));
    let of_parameters = names.map(|name| match name {
        "EmailFrom" => "exports@example.com",
        "SesIdentity" => "example.com",
        "RequireTls" => "false",
        _ => "",
    });
    // The region, then the parameters; confirm changes, let SAM make roles, keep on failure, save the answers.
    let lines = [stack, "us-east-1"].into_iter().chain(of_parameters).chain(["n", "y", "n", "n"]);
    lines.fold(String::new(), |all, line| all + line + "\n")
}

#[test]
#[ignore = "sam build takes a quarter of an hour: cargo xtask test -- --test deployment -- --ignored"]
fn the_commands_of_the_readme_deploy_the_product() {
    run(async {
        let stack = Stack::new(&random_id("readme").replace('_', "-"));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut shell = Command::new("sh")
            .args(["-e", "-c", commands()])
            .current_dir(root)
            .env("AWS_ENDPOINT_URL", &system().outputs.endpoint_url)
            .env("AWS_DEFAULT_REGION", &system().outputs.region)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(answers(&stack.name).as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
        let outputs = stack.outputs().await.expect("the stack is there");
        assert!(outputs["PageUrl"].ends_with("/settings/organization/data_export"), "{outputs:?}");
        stack.delete();
    });
}
