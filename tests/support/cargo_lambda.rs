//! The functions that are deployed, connected to a `cargo lambda watch` of the test's own rather than to the emulator's
//! Lambda.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::system::{given, system};
use crate::wait_for;

/// The root of the repository: `cargo lambda` asks cargo for the functions of the workspace that it is started in.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs until it is dropped.
pub struct CargoLambda {
    port: u16,
    /// They are killed when they are dropped.
    _processes: Vec<Child>,
}

impl CargoLambda {
    /// Starts `cargo lambda watch` without letting it build anything, and these functions. `page_url` is where the page says
    /// that people see it.
    pub async fn watch(functions: &[&str], page_url: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut watch = cargo_lambda("watch", port);
        let mut processes = vec![watch.arg("--only-lambda-apis").spawn().unwrap()];
        wait_for("cargo lambda watch to listen", async || TcpStream::connect(("127.0.0.1", port)).ok()).await;
        processes.extend(
            functions.iter().map(|name| function(name, port).env("PAGE_URL", page_url).spawn().unwrap()),
        );
        Self { port, _processes: processes }
    }

    /// `cargo lambda invoke <function> --data-file <event>`: the function's answer.
    pub async fn invoke(&self, function: &str, event: &Path) -> Value {
        let mut invoke = cargo_lambda("invoke", self.port);
        let output = invoke.arg(function).arg("--data-file").arg(event).stdout(Stdio::piped()).output();
        let output = timeout(ANSWER_TIMEOUT, output).await.unwrap_or_else(|_| {
            panic!("{function} has not answered {} in {ANSWER_TIMEOUT:?}", event.display())
        });
        let Output { status, stdout, stderr } = output.unwrap();
        assert!(status.success(), "{}: {}", event.display(), String::from_utf8_lossy(&stderr));
        serde_json::from_slice(&stdout).unwrap()
    }
}

/// `cargo lambda`, at this port.
fn cargo_lambda(subcommand: &str, port: u16) -> Command {
    let mut command = Command::new(given("USAGE_EXPORT_CARGO_LAMBDA"));
    command.args(["lambda", subcommand, "--invoke-address", "127.0.0.1", "--invoke-port", &port.to_string()]);
    // Its requests to this machine do not go through a proxy of the caller's.
    command.env("NO_PROXY", "127.0.0.1").current_dir(ROOT).stdin(Stdio::null()).stdout(Stdio::null());
    command.kill_on_drop(true);
    command
}

/// A function with the variables that `cargo lambda watch` gives it, and with those of `template.yaml`.
fn function(name: &str, port: u16) -> Command {
    let outputs = &system().outputs;
    let mut command = Command::new(
        PathBuf::from(given("USAGE_EXPORT_DEPLOYED")).join("functions").join(name).join("bootstrap"),
    );
    // Nothing of the caller's settings for AWS. A function for another processor is started by a program of the `PATH`.
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
        .env("AWS_LAMBDA_RUNTIME_API", format!("http://127.0.0.1:{port}/.rt/{name}"))
        .env("AWS_LAMBDA_FUNCTION_NAME", name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
        .envs(outputs.aws_variables())
        .env("DIRECTORY_TABLE", &outputs.tables.directory)
        .env("EXPORTS_TABLE", &outputs.tables.exports)
        .env("AUDIT_TABLE", &outputs.tables.audit)
        .env("USAGE_RECORDS_TABLE", &outputs.tables.usage_records)
        .env("BUCKET", &outputs.bucket)
        .env("QUEUE_URL", &outputs.queue_url)
        .env("EMAIL_FROM", "exports@example.com");
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    command
}
