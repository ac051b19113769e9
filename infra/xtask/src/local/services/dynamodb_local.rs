//! Amazon's DynamoDB Local by itself.

use anyhow::Result;

use super::Started;
use crate::local::server::{self, Place, Server};
use crate::prepare::dynamodb_local;

/// Starts it. It has no option for the address, and listens at every address of the machine.
pub(super) async fn start(place: &Place) -> Result<Started> {
    let folder = dynamodb_local::ensure().await?;
    let port = server::free_port(0)?;
    let url = server::url_of(port);
    let mut java = place.command("java");
    // Where Java finds the SQLite that comes along.
    java.env("LD_LIBRARY_PATH", folder.join("DynamoDBLocal_lib"))
        .arg("-jar")
        .arg(folder.join("DynamoDBLocal.jar"))
        // One database for all credentials: each function has its own.
        .args(["-inMemory", "-sharedDb", "-disableTelemetry", "-port", &port.to_string()]);
    let server = Server::start(place, "dynamodb-local", java, &url).await?;
    Ok(Started { server: Some(server), url, services: &["dynamodb"] })
}
