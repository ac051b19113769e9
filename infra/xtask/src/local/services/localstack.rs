//! `LocalStack` without Docker: <https://docs.localstack.cloud/aws/capabilities/config/configuration/>.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

use super::Started;
use crate::local::server::{self, Place, Server};
use crate::prepare::dynamodb_local;
use crate::prepare::python::{LOCALSTACK, Venv};

const SERVICES: &[&str] = &["dynamodb", "s3", "sqs"];
/// The URL of one that somebody else has started, such as that of `compose.yaml`.
const URL: &str = "LOCALSTACK_URL";
/// `LocalStack` starts DynamoDB Local with an agent of its own, which lets tables have more than 20 indexes and which only its
/// image has: this leaves it out.
const JAVA: &str = "#!/bin/sh
for argument; do
  shift
  case \"$argument\" in -javaagent:*) ;; *) set -- \"$@\" \"$argument\" ;; esac
done
exec \"PROGRAM\" \"$@\"
";

pub(super) async fn start(place: &Place) -> Result<Started> {
    if let Ok(url) = env::var(URL) {
        return Ok(Started { server: None, url, services: SERVICES });
    }
    let (venv, dynamodb_local) = tokio::try_join!(Venv::ensure(&LOCALSTACK), dynamodb_local::ensure())?;
    let root = lay_out(place, &dynamodb_local)?;
    let port = server::free_port(0)?;
    let url = server::url_of(port);
    let mut command = place.command(venv.program("python"));
    command
        .args(["-m", "localstack.runtime.main"])
        // It takes an IPv4 address for all of them, but not an IPv6 one, and this is 127.0.0.1 as such.
        .env("GATEWAY_LISTEN", format!("[::ffff:127.0.0.1]:{port}"))
        .env("SERVICES", SERVICES.join(","))
        .env("EAGER_SERVICE_LOADING", "1")
        .env("FILESYSTEM_ROOT", root)
        .env("OVERRIDE_IN_DOCKER", "0")
        .env("DYNAMODB_IN_MEMORY", "1")
        // The queue is in the path of its URL. Clients call the endpoint that they were given, not the host in it.
        .env("SQS_ENDPOINT_STRATEGY", "path")
        // A presigned URL is good for its time and with its signature only.
        .env("S3_SKIP_SIGNATURE_VALIDATION", "0")
        // Nothing is sent to or fetched from its makers.
        .envs([("DISABLE_EVENTS", "1"), ("SKIP_SSL_CERT_DOWNLOAD", "1"), ("DNS_ADDRESS", "0")]);
    let server = Server::start(place, "localstack", command, &format!("{url}/_localstack/health")).await?;
    Ok(Started { server: Some(server), url, services: SERVICES })
}

/// Makes the folder that stands for the root of `LocalStack`'s image, with what it would download otherwise.
fn lay_out(place: &Place, dynamodb_local: &Path) -> Result<PathBuf> {
    let root = place.scratch.join("localstack");
    let lib = root.join("var/lib/localstack/lib");
    let (dynamodb, java) = (lib.join("dynamodb-local"), lib.join("java/21/bin"));
    fs::create_dir_all(&dynamodb)?;
    symlink(dynamodb_local, dynamodb.join("2"))?;
    fs::create_dir_all(&java)?;
    let java = java.join("java");
    // By its path, because LocalStack puts this folder before all others.
    fs::write(&java, JAVA.replace("PROGRAM", &installed_java()?.display().to_string()))?;
    fs::set_permissions(&java, fs::Permissions::from_mode(0o755))?;
    Ok(root)
}

fn installed_java() -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join("java")).find(|program| program.is_file());
    found.context("java is not in the PATH")
}
