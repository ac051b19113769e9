//! `usage-export list`.

use indicatif::HumanCount;
use serde_json::{Value, json};

use crate::args::ListOptions;
use crate::client::Client;
use crate::console::Console;
use crate::error::Error;
use crate::export::{Export, State, Status};
use crate::text::Text;

pub fn list(client: &Client, console: Console, options: &ListOptions) -> Result<(), Error> {
    let exports = history(client, options)?;
    let table: Vec<_> = exports.iter().map(line).collect();
    let text = if table.is_empty() {
        "There are no exports.".to_owned()
    } else {
        format!("{}\n{}", head(), table.join("\n"))
    };
    let documents: Vec<_> = exports.into_iter().map(|export| export.document).collect();
    console.result(&json!({"exports": documents}), &text)
}

/// The newest exports, from as many pages as that takes.
fn history(client: &Client, options: &ListOptions) -> Result<Vec<Export>, Error> {
    let limit = options.limit as usize;
    let mut exports = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut page = client.history(options.mine, cursor.as_deref())?;
        let Some(Value::Array(entries)) = page.get_mut("exports").map(Value::take) else {
            return Err(Error::unexpected("it has no list of exports"));
        };
        let entries: Result<Vec<_>, _> = entries.into_iter().map(|entry| Export::read(entry, None)).collect();
        exports.extend(entries?);
        let next = page["next_cursor"].as_str().map(str::to_owned);
        if exports.len() >= limit || next.is_none() || next == cursor {
            exports.truncate(limit);
            return Ok(exports);
        }
        cursor = next;
    }
}

fn head() -> String {
    format!("{:36}  {:16}  {:12}  {:23}  {:>11}  {}", "ID", "CREATED (UTC)", "STATE", "DAYS", "ROWS", "WHO")
}

fn line(export: &Export) -> String {
    let Status { data_export_id: id, state, created_ts, progress, row_count, .. } = &export.status;
    let status = &export.status;
    let state = match (state, progress) {
        (State::InProgress, Some(percent)) => format!("RUNNING {percent:>2} %"),
        (state, _) => state.name().to_owned(),
    };
    let days = match (&status.start_ts, &status.end_ts) {
        (Some(start), Some(end)) => format!("{} - {}", first(start, 10), first(end, 10)),
        _ => String::new(),
    };
    let rows = row_count.map(|rows| HumanCount(rows).to_string()).unwrap_or_default();
    let created = first(created_ts, 16).raw().replace('T', " ");
    let who = status.user_email.as_ref().or(status.user_id.as_ref());
    let texts: Vec<_> = [who, status.error.as_ref()].into_iter().flatten().map(Text::to_string).collect();
    let texts = texts.join("  ");
    format!("{id:36}  {:16}  {state:12}  {days:23}  {rows:>11}  {texts}", Text::from(created))
        .trim_end()
        .to_owned()
}

/// The first characters of a timestamp: its day, or the minute too.
fn first(timestamp: &Text, count: usize) -> Text {
    Text::from(timestamp.raw().chars().take(count).collect::<String>())
}
