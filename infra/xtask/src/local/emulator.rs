//! The emulator of AWS: `MiniStack`, on loopback.

use std::process::Command;

use anyhow::Result;

use super::aws;
use super::server::{self, Place, Server};
use super::services::Services;
use crate::prepare::python::Venv;

/// Runs until it is dropped. The functions, and every other process of the system, end with it.
pub struct Emulator {
    // Fields are dropped in their order: the place has all processes end before the emulator's is waited for.
    pub place: Place,
    pub endpoint_url: String,
    server: Server,
}

impl Emulator {
    /// Starts the emulator and waits until it answers. Functions call AWS at `proxy_port` if there is one, else at the
    /// emulator itself, and at `services` what those stand in for.
    ///
    /// # Errors
    ///
    /// Fails as [`Server::start`] does.
    pub async fn start(
        venv: &Venv,
        place: Place,
        port: u16,
        proxy_port: Option<u16>,
        services: &Services,
    ) -> Result<Self> {
        let endpoint_url = server::url_of(port);
        let mut command = command(venv, &place, port);
        // Where functions call AWS.
        command.env("AWS_ENDPOINT_URL", server::url_of(proxy_port.unwrap_or(port)));
        command.envs(services.environment());
        if proxy_port.is_some() {
            // Where calls are spoilt, small exports are split as well as large ones. Functions inherit it.
            command.env("SEGMENT_PAGES", "1");
        }
        // Each function has the permissions of its role and no others, as on AWS. Services of others know no roles.
        command.env("AUTH", if services.know_roles() { "true" } else { "false" });
        let ready = format!("{endpoint_url}/_ministack/ready");
        let server = Server::start(&place, "emulator", command, &ready).await?;
        Ok(Self { place, endpoint_url, server })
    }

    /// Its process, which is the parent of the functions' processes.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }
}

fn command(venv: &Venv, place: &Place, port: u16) -> Command {
    let mut command = place.command(venv.program("python"));
    command
        .args(["-m", "ministack"])
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", "127.0.0.1")
        // The host in queue URLs. A name would be looked up, and might be found at ::1.
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("MINISTACK_REGION", aws::REGION)
        .env("LOG_LEVEL", "INFO")
        .env("PYTHONUNBUFFERED", "1")
        // These services would listen on ports of their own.
        .env("SFTP_ENABLED", "0")
        .env("IOT_MTLS_ENABLED", "0");
    command
}
