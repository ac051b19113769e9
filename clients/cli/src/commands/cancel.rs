//! `usage-export cancel`.

use super::status::describe;
use crate::client::Client;
use crate::console::Console;
use crate::error::Error;
use crate::export::ExportId;

pub fn cancel(client: &Client, console: Console, id: &ExportId) -> Result<(), Error> {
    let export = client.cancel(id)?;
    console.result(&export.document, &describe(&export))
}
