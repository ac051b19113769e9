//! One module for each command.

mod cancel;
mod download;
mod generate;
mod list;
mod start;
mod status;
mod wait;

use crate::args::{Cli, Command, Connection};
use crate::client::Client;
use crate::console::Console;
use crate::credentials::Key;
use crate::error::Error;

/// Does what the command line says.
///
/// # Errors
///
/// See [`crate::error::Kind`].
pub fn run(cli: Cli, console: Console) -> Result<(), Error> {
    let client = || connect(cli.connection, console);
    match cli.command {
        Command::Start(options) => start::start(&client()?, console, &options),
        Command::Wait(options) => wait::wait(&client()?, console, &options),
        Command::Status { id } => status::status(&client()?, console, &id),
        Command::Download(options) => download::download(&client()?, console, &options),
        Command::List(options) => list::list(&client()?, console, &options),
        Command::Cancel { id } => cancel::cancel(&client()?, console, &id),
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { output_dir } => generate::man(output_dir.as_deref()),
    }
}

fn connect(connection: Connection, console: Console) -> Result<Client, Error> {
    let missing = |what: &str, variable: &str, option: &str| {
        Error::usage(format!("There is no {what}: set {variable}, or give {option}."))
    };
    let url = connection.url.ok_or_else(|| missing("URL of the API", "USAGE_EXPORT_URL", "--url"))?;
    let user_id = connection.user_id.filter(|id| !id.is_empty());
    let user_id = user_id.ok_or_else(|| missing("user to act as", "USAGE_EXPORT_USER_ID", "--user-id"))?;
    Ok(Client::new(url, Key::find(connection.key_file.as_deref())?, user_id, console))
}
