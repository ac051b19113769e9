//! Stacks of a test's own, which the SAM CLI deploys to the emulator and deletes there.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aws_sdk_cloudformation::Client;
use integration_tests::system::{given, system};
use serde_json::{Value, json};

/// A stack, and the folder with its template and the functions' code.
pub struct Stack {
    pub name: String,
    folder: PathBuf,
}

impl Stack {
    pub fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("usage-export-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        Self { name: name.to_owned(), folder }
    }

    /// Deploys a template with today's functions, to a new stack or over an earlier one.
    pub fn deploy(&self, template: &str) {
        let deployed = given("USAGE_EXPORT_DEPLOYED");
        let functions = self.folder.join("functions");
        if !functions.exists() {
            std::os::unix::fs::symlink(Path::new(&deployed).join("functions"), &functions).unwrap();
        }
        let path = self.folder.join("template.yaml");
        std::fs::write(&path, template).unwrap();
        let mut sam = self.sam("deploy");
        sam.arg("--template-file").arg(&path);
        // `sam delete` deletes the code that it has uploaded, which is that of the other stacks too without a folder of its own.
        sam.args(["--s3-prefix", &self.name]);
        sam.args([
            "--resolve-s3",
            "--capabilities",
            "CAPABILITY_IAM",
            "--no-confirm-changeset",
            "--no-progressbar",
        ]);
        let architecture = if env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" };
        sam.arg("--parameter-overrides").arg(format!("Architecture={architecture}"));
        sam.args(["RequireTls=false", "EmailFrom=exports@example.com", "SesIdentity=example.com"]);
        assert_success(&sam.output().unwrap());
    }

    pub fn delete(&self) {
        assert_success(&self.sam("delete").arg("--no-prompts").output().unwrap());
    }

    fn sam(&self, command: &str) -> Command {
        let outputs = &system().outputs;
        let mut sam = Command::new(given("USAGE_EXPORT_SAM"));
        sam.args([command, "--stack-name", &self.name, "--region", &outputs.region])
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap())
            .env("HOME", &self.folder)
            .env("SAM_CLI_TELEMETRY", "0")
            .env("AWS_ENDPOINT_URL", &outputs.endpoint_url)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        sam
    }

    /// Its outputs; `None` if there is no such stack.
    pub async fn outputs(&self) -> Option<HashMap<String, String>> {
        let described = Client::new(&system().sdk).describe_stacks().stack_name(&self.name).send().await;
        let stack = described.ok()?.stacks?.pop()?;
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        Some(outputs.filter_map(|output| Some((output.output_key?, output.output_value?))).collect())
    }

    /// Writes an `outputs.json` that makes the stack the system of a test.
    pub async fn write_outputs(&self) -> PathBuf {
        let of_stack = self.outputs().await.expect("the stack is there");
        let endpoint_url = &system().outputs.endpoint_url;
        let api_url = format!("{endpoint_url}/_aws/execute-api/{}/$default", of_stack["ApiId"]);
        let outputs: Value = json!({
            "api_url": api_url,
            "page_url": format!("{api_url}/settings/organization/data_export"),
            "endpoint_url": endpoint_url,
            "region": system().outputs.region,
            "tables": {
                "usage_records": of_stack["UsageRecordsTableName"],
                "directory": of_stack["DirectoryTableName"],
                "exports": of_stack["ExportsTableName"],
            },
            "bucket": of_stack["BucketName"],
            "queue_url": of_stack["QueueUrl"],
            "dlq_url": of_stack["DeadLetterQueueUrl"],
        });
        let path = self.folder.join("outputs.json");
        std::fs::write(&path, outputs.to_string()).unwrap();
        path
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn assert_success(output: &Output) {
    let printed = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&printed));
}
