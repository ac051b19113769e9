//! The manifest of a file, saved beside it.

use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use ureq::Body;

use super::refused;
use crate::client::retry::{Patience, Trouble};
use crate::client::{Client, FileSource, Rest};
use crate::console::Console;
use crate::error::{Error, Kind};
use crate::export::Status;
use crate::text::Text;

/// A manifest has a few hundred bytes for each workspace and month.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Saves the manifest as FILE with `.manifest.json` for its ending, and returns that name.
///
/// # Errors
///
/// It cannot be had or written, or is that of another file.
pub fn save(
    client: &Client,
    console: Console,
    status: &Status,
    file: &Path,
    force: bool,
) -> Result<PathBuf, Error> {
    let path = file.with_extension("manifest.json");
    super::refuse_existing(&path, force)?;
    let mut patience = Patience::new();
    let bytes = loop {
        match fetch(client, status) {
            Ok(bytes) => break bytes,
            Err(trouble) => patience.rest(trouble, console)?,
        }
    };
    let manifest: Value =
        serde_json::from_slice(&bytes).map_err(|_| Error::unexpected("the manifest is not JSON"))?;
    let checksum = status.checksum.as_ref().map(Text::raw);
    if manifest["checksum"].as_str() != checksum || manifest["bytes"].as_u64() != status.size_bytes {
        return Err(Error::new(
            Kind::Integrity,
            "The manifest is that of another file. It was not kept; try again.",
        ));
    }
    let mut temporary = OsString::from(&path);
    temporary.push(".part");
    let written = fs::write(&temporary, &bytes).and_then(|()| fs::rename(&temporary, &path));
    written.map_err(|error| Error::file(&path, "written", &error))?;
    Ok(path)
}

fn fetch(client: &Client, status: &Status) -> Result<Vec<u8>, Trouble> {
    match client.file(&status.data_export_id, "manifest").map_err(Trouble::lasting)? {
        FileSource::Inline(body) => read(body),
        FileSource::Bucket(address) => {
            let response = client.open(&address, &Rest::default())?;
            if response.status() == 200 {
                read(response.into_body())
            } else {
                Err(refused(response.status()))
            }
        }
    }
}

fn read(body: Body) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    let read = body.into_reader().take(MAX_BYTES).read_to_end(&mut bytes);
    read.map_err(|error| super::broken(&error.to_string()))?;
    Ok(bytes)
}
