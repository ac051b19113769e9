//! The driver of the browser for the tests of the settings page: chromedriver, which speaks `WebDriver`.

use anyhow::Result;

use super::server::{self, Place, Server};

/// Starts browsers until it is dropped. The browsers have the mark and the temporary folder of the system: they end, and
/// their profiles are removed, with it.
pub struct WebDriver {
    pub url: String,
    _server: Server,
}

impl WebDriver {
    /// Starts the driver and waits until it answers.
    ///
    /// # Errors
    ///
    /// Fails as [`Server::start`] does.
    pub async fn start(place: &Place) -> Result<Self> {
        let port = server::free_port(0)?;
        let url = server::url_of(port);
        let mut command = place.command("chromedriver");
        // By default it listens on loopback only.
        command.arg(format!("--port={port}"));
        let server = Server::start(place, "chromedriver", command, &format!("{url}/status")).await?;
        Ok(Self { url, _server: server })
    }
}
