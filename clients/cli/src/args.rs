//! The command line.

#![expect(clippy::doc_markdown, reason = "these comments are the help, which is shown as it is")]

mod examples;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Parser, Subcommand};
use clap_complete::Shell;

use self::examples::{EXAMPLES, START_EXAMPLES};
use crate::address::BaseUrl;
use crate::export::ExportId;

/// The ids of `export_fields`, in the order in which the settings page shows them. The API's contract fixes them.
pub const FIELDS: [&str; 11] = [
    "workspace_id",
    "workspace_name",
    "workbook_id",
    "workbook_name",
    "workbook_created_ts",
    "user_id",
    "user_email",
    "run_id",
    "credit_cost",
    "pl_run_created_ts",
    "pl_run_finished_ts",
];

/// Export usage data: which workflow ran where, for whom, when, and what it cost in credits.
///
/// Results go to standard output, everything else to standard error.
#[derive(Parser)]
#[command(name = "usage-export", version, after_long_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub connection: Connection,
    #[command(subcommand)]
    pub command: Command,
}

/// Where the API is, and for whom to call it.
#[derive(Args)]
pub struct Connection {
    /// URL of the API.
    ///
    /// Plain http:// only on this machine: elsewhere the key could be read on the way.
    #[arg(long, global = true, env = "USAGE_EXPORT_URL", help_heading = "Connection")]
    pub url: Option<BaseUrl>,
    /// The user to act as: with a personal key its owner, with an organization key any member.
    #[arg(long, global = true, env = "USAGE_EXPORT_USER_ID", value_name = "ID", help_heading = "Connection")]
    pub user_id: Option<String>,
    /// File with the API key, which nobody else may read (chmod 600). Without it: the variable USAGE_EXPORT_KEY.
    ///
    /// There is no option for the key itself, because every user of a machine can read the options of its programs.
    #[arg(
        long,
        global = true,
        env = "USAGE_EXPORT_KEY_FILE",
        value_name = "FILE",
        help_heading = "Connection"
    )]
    pub key_file: Option<PathBuf>,
    /// Print JSON: the result on standard output, an error on standard error, and nothing else.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Start an export, and print its id; with --wait and --output, everything up to the file.
    Start(StartOptions),
    /// Wait until an export has finished. The exit code says how.
    Wait(WaitOptions),
    /// Show how an export stands.
    Status {
        /// The export's id.
        id: ExportId,
    },
    /// Download the file of a completed export, or go on with a download that broke off.
    ///
    /// What arrives is written to FILE.part and gets its name once its size and checksum are right.
    Download(DownloadOptions),
    /// List exports, newest first.
    List(ListOptions),
    /// Cancel an export that has not finished.
    Cancel {
        /// The export's id.
        id: ExportId,
    },
    /// Print the completions of a shell, for a file that it reads.
    ///
    /// bash: usage-export completions bash > ~/.local/share/bash-completion/completions/usage-export
    Completions { shell: Shell },
    /// Print the manual page; with --output-dir, write one of each command too.
    Man {
        /// A folder, such as ~/.local/share/man/man1.
        #[arg(long, value_name = "FOLDER")]
        output_dir: Option<PathBuf>,
    },
}

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[command(group = ArgGroup::new("scope").required(true).multiple(true), after_long_help = START_EXAMPLES)]
pub struct StartOptions {
    /// First day, or first instant, in ISO 8601: 2025-01-01, 2025-01-01T09:00:00+01:00. UTC without an offset.
    #[arg(long, value_name = "DATE")]
    pub start_date: String,
    /// Last day, or last instant. A day is included to its end.
    #[arg(long, value_name = "DATE")]
    pub end_date: String,
    /// Every workspace, also the members' personal ones.
    #[arg(long, group = "scope", help_heading = "Scope")]
    pub all_workspaces: bool,
    /// Every workspace that is nobody's own.
    #[arg(long, group = "scope", help_heading = "Scope")]
    pub organization_workspaces: bool,
    /// The members' personal workspaces.
    #[arg(long, group = "scope", help_heading = "Scope")]
    pub personal_workspaces: bool,
    /// Ids of workspaces.
    #[arg(
        long = "workspace",
        value_name = "ID",
        value_delimiter = ',',
        group = "scope",
        help_heading = "Scope"
    )]
    pub workspaces: Vec<String>,
    /// Ids of workbooks: only their runs. Alone, they are looked for in every workspace.
    #[arg(
        long = "workbook",
        value_name = "ID",
        value_delimiter = ',',
        group = "scope",
        help_heading = "Scope"
    )]
    pub workbooks: Vec<String>,
    /// Columns of the file, in this order [default: all].
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(FIELDS))]
    pub fields: Vec<String>,
    /// Repeat an earlier request: with the same key the API starts no second export.
    ///
    /// Without it a key is made, and shown before the request is sent.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// Wait until it has finished.
    #[arg(long)]
    pub wait: bool,
    #[command(flatten)]
    pub waiting: Waiting,
    /// Save the file under this name. Includes --wait.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it is there.
    #[arg(long, requires = "output")]
    pub force: bool,
}

#[derive(Args)]
pub struct Waiting {
    /// Stop waiting after this time, such as 90s, 30m or 2h. The export goes on.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
}

#[derive(Args)]
pub struct WaitOptions {
    /// The export's id.
    pub id: ExportId,
    #[command(flatten)]
    pub waiting: Waiting,
}

#[derive(Args)]
pub struct DownloadOptions {
    /// The export's id.
    pub id: ExportId,
    /// Save the file under this name [default: usage-export with its dates and the end of its id, in this folder].
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Save the manifest too, beside the file: what was asked for, what was read and when, rows and exact sums.
    #[arg(long)]
    pub manifest: bool,
    /// Replace the file if it is there.
    #[arg(long)]
    pub force: bool,
}

#[derive(Args)]
pub struct ListOptions {
    /// Only those that the user asked for.
    #[arg(long)]
    pub mine: bool,
    /// How many at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
}

/// A number and its unit.
fn duration(text: &str) -> Result<Duration, String> {
    let unit_seconds = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        _ => 0,
    };
    let number: u64 = text.get(..text.len().saturating_sub(1)).unwrap_or_default().parse().unwrap_or(0);
    let seconds = number.saturating_mul(unit_seconds);
    if seconds == 0 {
        Err("needs a number and s, m or h, such as 90s".to_owned())
    } else {
        Ok(Duration::from_secs(seconds))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Ok(Duration::from_hours(2)));
        for text in ["", "90", "m", "0s", "-1s", "1.5h", "ü"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
