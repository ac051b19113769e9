//! `usage-export`: exports usage data from a terminal or a script.
//!
//! [`args`] has the command line, [`commands`] one module for each command, [`client`] the API's endpoints, [`download`] a download
//! that can break off and go on. What comes from the server is [`text::Text`] and cannot reach a terminal as it came.
//! docs/adr/0030-a-client-for-the-command-line.md has the reasons.

mod address;
mod args;
mod client;
mod commands;
mod console;
mod credentials;
mod download;
mod error;
mod export;
mod interrupt;
mod text;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Cli;
use crate::console::Console;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let console = Console { json: cli.connection.json };
    match interrupt::handle().and_then(|()| commands::run(cli, console)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
