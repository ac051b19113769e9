//! `usage-export download`: the file of an export, and its manifest.

use std::path::{Path, PathBuf};

use crate::args::DownloadOptions;
use crate::client::Client;
use crate::console::Console;
use crate::download::{Wanted, download as download_file, manifest, refuse_existing};
use crate::error::{Error, Kind};
use crate::export::{Export, Status};
use crate::interrupt;
use crate::text::Text;

pub fn download(client: &Client, console: Console, options: &DownloadOptions) -> Result<(), Error> {
    if let Some(output) = &options.output {
        refuse_existing(output, options.force)?;
    }
    let export = client.status(&options.id)?;
    export.must_be_completed()?;
    let output = options.output.clone().unwrap_or_else(|| default_name(&export.status));
    save(client, console, &export, &output, options.force)?;
    if options.manifest {
        let path = manifest::save(client, console, &export.status, &output, options.force)?;
        console.note(&format!("Its manifest is {}", shown(&path)));
    }
    let mut document = export.document;
    document["file"] = shown(&output).into();
    console.result(&document, &shown(&output))
}

/// Downloads the file of a completed export under a name, and says what it is.
///
/// # Errors
///
/// As those of [`download_file`]; where it helps, the message says that the download can go on.
pub fn save(
    client: &Client,
    console: Console,
    export: &Export,
    output: &Path,
    force: bool,
) -> Result<(), Error> {
    let Status { data_export_id: id, .. } = &export.status;
    let again = format!(
        "What has arrived is kept: go on with `usage-export download {id} --output {}`.",
        quoted(output)
    );
    interrupt::advise(format!("Interrupted. {again}"));
    let wanted = Wanted::of(&export.status)?;
    let (size, checksum) = (wanted.size_bytes, Text::from(wanted.checksum.clone()));
    download_file(client, console, id, wanted, output, force).map_err(|mut error| {
        if error.kind == Kind::Unavailable {
            error.message = format!("{} {again}", error.message);
        }
        error
    })?;
    console.note(&format!("{} bytes and {checksum}, as they were written.", indicatif::HumanCount(size)));
    Ok(())
}

/// The name that a browser gives the file. It is made here, because a server must not choose where something is written.
fn default_name(status: &Status) -> PathBuf {
    let day = |text: &Option<Text>| {
        let day = text.as_ref().and_then(|text| text.raw().get(..10)).unwrap_or_default();
        let is_day = day.chars().all(|c| c.is_ascii_digit() || c == '-');
        if is_day { day.to_owned() } else { String::new() }
    };
    let id = status.data_export_id.to_string();
    let tail = id.rsplit('-').next().unwrap_or_default();
    format!("usage-export_{}_{}_{tail}.csv", day(&status.start_ts), day(&status.end_ts)).into()
}

/// A path as it is printed.
pub fn shown(path: &Path) -> String {
    Text::from(path.to_string_lossy()).to_string()
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = shown(path);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_server_does_not_choose_where_a_file_is_written() {
        let name = |start: &str| {
            let document = json!({"data_export_id": "0194c7a8-0000-7000-8000-00000000000a", "state": "COMPLETED", "created_ts": "",
                "start_ts": start, "end_ts": "2025-01-31T23:59:59.999Z"});
            default_name(&Export::read(document, None).unwrap().status).display().to_string()
        };
        assert_eq!(name("2025-01-01T00:00:00.000Z"), "usage-export_2025-01-01_2025-01-31_00000000000a.csv");
        assert_eq!(name("../../../../etc/passwd"), "usage-export__2025-01-31_00000000000a.csv");
    }

    #[test]
    fn a_path_can_be_pasted() {
        assert_eq!(quoted(Path::new("a/b-1.csv")), "a/b-1.csv");
        assert_eq!(quoted(Path::new("it's $HOME")), "'it'\\''s $HOME'");
    }
}
