//! aws-ses-v2-local, which takes emails and shows them at `/store` and on a page.

use anyhow::Result;

use super::Started;
use crate::local::server::{self, Place, Server};
use crate::paths;
use crate::prepare::npm;

const FOLDER: &str = "infra/xtask/aws-ses-v2-local";
/// The URL of one that somebody else has started, such as that of `compose.yaml`.
const URL: &str = "AWS_SES_V2_LOCAL_URL";

pub(super) async fn start(place: &Place) -> Result<Started> {
    let services = &["sesv2"];
    if let Ok(url) = std::env::var(URL) {
        return Ok(Started { server: None, url, services });
    }
    let folder = paths::root().join(FOLDER);
    npm::install(&folder).await?;
    let port = server::free_port(0)?;
    let url = server::url_of(port);
    let mut command = place.command(folder.join("node_modules/.bin/aws-ses-v2-local"));
    command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
    let server = Server::start(place, "aws-ses-v2-local", command, &format!("{url}/health-check")).await?;
    Ok(Started { server: Some(server), url, services })
}
