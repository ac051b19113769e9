//! Building the functions, and what `sam package` does: their code is put into S3, and the template says where it is.

use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use aws_sdk_s3::primitives::ByteStream;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::command;

/// The binaries of the functions, as `BuildProperties` in the template names them.
const FUNCTIONS: [&str; 5] =
    ["export_data", "export_reconciler", "export_status", "export_worker", "settings_page"];
const BUCKET: &str = "usage-export-artifacts";

/// The binary of a function.
pub struct Binary {
    name: String,
    path: PathBuf,
}

/// The message of `cargo build` that says where a binary is:
/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds the functions for this machine. Cargo shows its progress on the terminal.
///
/// # Errors
///
/// Fails if a function does not build or has no binary of its name.
pub async fn build() -> Result<Vec<Binary>> {
    let mut cargo = command::cargo();
    cargo.args(["build", "--release", "--message-format", "json-render-diagnostics"]);
    for function in FUNCTIONS {
        cargo.args(["--package", function]);
    }
    let output = cargo.stderr(Stdio::inherit()).output().await.context("cargo does not start")?;
    if !output.status.success() {
        bail!("the functions do not build");
    }
    let binaries: Vec<_> = String::from_utf8(output.stdout)?.lines().filter_map(binary).collect();
    match FUNCTIONS.iter().find(|name| !binaries.iter().any(|binary| binary.name == **name)) {
        Some(missing) => bail!("the package {missing} has no binary of that name"),
        None => Ok(binaries),
    }
}

fn binary(message: &str) -> Option<Binary> {
    let artifact: Artifact = serde_json::from_str(message).ok()?;
    Some(Binary { name: artifact.target.name, path: artifact.executable? })
}

/// Uploads the binaries, and returns the template with the locations of the code in it.
///
/// # Errors
///
/// Fails if a binary cannot be read or uploaded, or the template has no function for it.
pub async fn package(s3: &aws_sdk_s3::Client, template: &str, binaries: &[Binary]) -> Result<String> {
    s3.create_bucket().bucket(BUCKET).send().await.context("the bucket of the code cannot be made")?;
    let mut template = template.to_owned();
    for Binary { name, path } in binaries {
        let code = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let code = zipped(&code)?;
        let hash = hex::encode(Sha256::digest(&code));
        let key = format!("{name}-{}.zip", &hash[..16]);
        s3.put_object().bucket(BUCKET).key(&key).body(ByteStream::from(code)).send().await?;
        template = with_code(&template, name, &format!("s3://{BUCKET}/{key}"))?;
    }
    Ok(template)
}

/// Makes a code package of the provided runtime: one executable file, `bootstrap`:
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-rust.html>. It is not compressed, because it is sent over
/// loopback only.
fn zipped(binary: &[u8]) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o755);
    zip.start_file("bootstrap", options)?;
    zip.write_all(binary)?;
    Ok(zip.finish()?.into_inner())
}

/// Adds `CodeUri` to the function that is built from this binary, and changes nothing else.
fn with_code(template: &str, binary: &str, location: &str) -> Result<String> {
    let metadata = format!("BuildProperties: {{ Binary: {binary} }}");
    let mut text = String::with_capacity(template.len() + location.len() + 32);
    let (mut in_function, mut done) = (false, false);
    for line in template.split_inclusive('\n') {
        text.push_str(line);
        in_function |= line.trim() == metadata;
        if in_function && !done && line.trim() == "Properties:" {
            let indent = line.len() - line.trim_start().len() + 2;
            text.extend([&" ".repeat(indent), "CodeUri: ", location, "\n"]);
            done = true;
        }
    }
    if !done {
        bail!("template.yaml has no function with `{metadata}` in its Metadata and `Properties:` after that");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use zip::ZipArchive;

    use super::*;

    const TEMPLATE: &str = include_str!("../../../../template.yaml");

    #[test]
    fn only_the_locations_of_the_code_are_added() {
        let mut packaged = TEMPLATE.to_owned();
        for function in FUNCTIONS {
            packaged = with_code(&packaged, function, &format!("s3://bucket/{function}.zip")).unwrap();
        }
        let (added, rest): (Vec<_>, Vec<_>) =
            packaged.split_inclusive('\n').partition(|line| line.contains("CodeUri: s3://"));
        assert_eq!(added.len(), FUNCTIONS.len());
        assert_eq!(rest.concat(), TEMPLATE);
    }

    #[test]
    fn each_function_gets_its_own_code() {
        let packaged = with_code(TEMPLATE, "export_status", "s3://bucket/key.zip").unwrap();
        let function = packaged.find("  ExportStatusFunction:\n").unwrap();
        let code = packaged.find("      CodeUri: s3://bucket/key.zip\n").unwrap();
        let next_function = packaged.find("  ExportWorkerFunction:\n").unwrap();
        assert!(function < code && code < next_function);
    }

    #[test]
    fn an_unknown_binary_is_an_error() {
        assert!(with_code(TEMPLATE, "export", "s3://bucket/key.zip").is_err());
    }

    #[test]
    fn the_package_has_one_executable_file() {
        let mut archive = ZipArchive::new(Cursor::new(zipped(b"code").unwrap())).unwrap();
        assert_eq!(archive.len(), 1);
        let mut file = archive.by_name("bootstrap").unwrap();
        assert_eq!(file.unix_mode().unwrap() & 0o777, 0o755);
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert_eq!(content, b"code");
    }
}
