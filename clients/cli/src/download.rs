//! Downloading the file of an export: [`partial_file`] is what has arrived so far, this module asks for the rest until it is complete.
//!
//! The file gets its name only when its size and checksum are those that the worker wrote. Until then it is `NAME.part`, and
//! a download that broke off goes on there, with `Range`, if it is the same object.

pub mod manifest;
mod partial_file;

use std::io::Read as _;
use std::path::Path;

use indicatif::ProgressBar;
use ureq::Body;
use ureq::http::{HeaderMap, Response, StatusCode, Uri, header};

use self::partial_file::PartialFile;
pub use self::partial_file::{Wanted, refuse_existing};
use crate::client::retry::{Patience, Trouble};
use crate::client::{Client, FileSource, Rest};
use crate::console::Console;
use crate::error::{Error, Kind};
use crate::export::ExportId;
use crate::text::Text;

/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 256 * 1024;
/// How often a file is downloaded from its beginning, because it was another one in between or does not add up.
const MAX_STARTS: u32 = 3;

/// Downloads a file to `target`, which an existing file keeps unless `force`. Returns how many bytes an earlier download had left.
///
/// # Errors
///
/// The API or the bucket cannot be reached, what arrives is not the wanted file, or it cannot be written.
pub fn download(
    client: &Client,
    console: Console,
    id: &ExportId,
    wanted: Wanted,
    target: &Path,
    force: bool,
) -> Result<u64, Error> {
    refuse_existing(target, force)?;
    let partial = PartialFile::open(target, wanted, force)?;
    let resumed = partial.len();
    if resumed > 0 {
        console.note(&format!("Going on after {resumed} bytes of an earlier download."));
    }
    let bar = console.bytes_bar(partial.wanted().size_bytes).with_position(resumed);
    bar.reset_eta();
    let mut download = Download { client, console, id, partial, bar, starts: 1, is_joined: resumed > 0 };
    download.fetch()?;
    while !download.partial.is_right() {
        let problem = "What arrived has another checksum than the file that was written.";
        if !download.is_joined {
            // All of it came in one answer, and would come again.
            return Err(download.give_up(problem));
        }
        download.start_again(problem)?;
        download.fetch()?;
    }
    let Download { partial, bar, .. } = download;
    bar.finish_and_clear();
    partial.finish(target, force)?;
    Ok(resumed)
}

struct Download<'a> {
    client: &'a Client,
    console: Console,
    id: &'a ExportId,
    partial: PartialFile,
    bar: ProgressBar,
    starts: u32,
    /// Whether what is here came in several answers, which may have been of different objects.
    is_joined: bool,
}

/// Why a request brought not all that was missing.
enum Stop {
    /// The rest is asked for, if that can help.
    Break(Trouble),
    /// It is not the object that the part is of.
    Changed(&'static str),
    Fatal(Error),
}

impl Download<'_> {
    /// Asks until as many bytes are there as the file has.
    fn fetch(&mut self) -> Result<(), Error> {
        let mut patience = Patience::new();
        while !self.partial.is_complete() {
            let before = self.partial.len();
            let Err(stop) = self.ask() else { continue };
            if self.partial.len() > before {
                patience.restore();
            }
            match stop {
                Stop::Break(trouble) => patience.rest(trouble, self.console)?,
                Stop::Changed(what) => self.start_again(what)?,
                Stop::Fatal(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One request for what is missing. The address of the file is asked for anew each time: it lives for minutes, and the API
    /// compares the object with what was written before it signs one.
    fn ask(&mut self) -> Result<(), Stop> {
        match self.client.file(self.id, "download").map_err(Stop::Fatal)? {
            FileSource::Inline(body) => {
                self.partial.restart().map_err(Stop::Fatal)?;
                let copied = self.copy(body);
                if copied.is_err() {
                    // It begins anew next time, so that nothing is won.
                    self.partial.restart().map_err(Stop::Fatal)?;
                }
                copied
            }
            FileSource::Bucket(address) => self.ask_bucket(&address),
        }
    }

    fn ask_bucket(&mut self, address: &Uri) -> Result<(), Stop> {
        let rest = Rest { from: self.partial.len(), etag: self.partial.etag().map(str::to_owned) };
        let response = self.client.open(address, &rest).map_err(Stop::Break)?;
        match response.status() {
            StatusCode::OK => {
                // Also if the rest was asked for: then the server knows no ranges.
                self.partial.restart().map_err(Stop::Fatal)?;
                self.begin(&response)?;
            }
            StatusCode::PARTIAL_CONTENT => {
                self.must_continue(response.headers())?;
                self.is_joined = true;
            }
            StatusCode::PRECONDITION_FAILED | StatusCode::RANGE_NOT_SATISFIABLE => {
                return Err(Stop::Changed("The file is another one than that of which a part is here."));
            }
            status => return Err(Stop::Break(refused(status))),
        }
        self.copy(response.into_body())
    }

    /// Remembers which object it is.
    fn begin(&mut self, response: &Response<Body>) -> Result<(), Stop> {
        let length = response.body().content_length();
        if length.is_some_and(|length| length != self.partial.wanted().size_bytes) {
            return Err(Stop::Fatal(
                self.give_up("The file has another size than the one that was written."),
            ));
        }
        self.partial.begin(etag(response.headers())).map_err(Stop::Fatal)
    }

    /// Compares what comes with what is missing.
    fn must_continue(&self, headers: &HeaderMap) -> Result<(), Stop> {
        let range =
            headers.get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
        let size = self.partial.wanted().size_bytes;
        let expected = format!("bytes {}-{}/{size}", self.partial.len(), size.saturating_sub(1));
        let other_etag = match (self.partial.etag(), etag(headers)) {
            (Some(known), Some(now)) => known != now,
            _ => false,
        };
        if range != expected || other_etag {
            return Err(Stop::Changed("The server has another file than that of which a part is here."));
        }
        Ok(())
    }

    fn copy(&mut self, body: Body) -> Result<(), Stop> {
        let mut reader = body.into_reader();
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) if self.partial.is_complete() => return Ok(()),
                Ok(0) => return Err(Stop::Break(broken("it ended early"))),
                Ok(count) => count,
                Err(error) => return Err(Stop::Break(broken(&error.to_string()))),
            };
            if self.partial.len() + count as u64 > self.partial.wanted().size_bytes {
                return Err(Stop::Fatal(self.give_up("More arrives than the file has bytes.")));
            }
            self.partial.write(&buffer[..count]).map_err(Stop::Fatal)?;
            self.bar.set_position(self.partial.len());
        }
    }

    /// Throws away what is here, unless that was done too often.
    fn start_again(&mut self, why: &str) -> Result<(), Error> {
        self.starts += 1;
        if self.starts > MAX_STARTS {
            return Err(self.give_up(why));
        }
        self.console.note(&format!("{why} Downloading it from the beginning."));
        self.bar.reset();
        self.is_joined = false;
        self.partial.restart()
    }

    /// Leaves nothing behind that could be taken for the file.
    fn give_up(&mut self, why: &str) -> Error {
        self.partial.discard();
        let message = format!(
            "{why} Nothing was kept. Try again; if it goes on, start a new export for the same dates."
        );
        Error::new(Kind::Integrity, message)
    }
}

/// A refusal of the bucket. Its text is not shown: it may repeat the address.
fn refused(status: StatusCode) -> Trouble {
    let number = status.as_u16();
    let why = match number {
        403 => "The address of the file has expired.".to_owned(),
        _ => format!("The file's server answers with HTTP {number}."),
    };
    let error = Error::new(Kind::Unavailable, why);
    // After 404 the API is asked again, which knows whether the file has expired.
    if matches!(number, 403 | 404 | 429 | 500..) {
        Trouble::passing(error, None)
    } else {
        Trouble::lasting(error)
    }
}

fn broken(reason: &str) -> Trouble {
    let error = Error::new(Kind::Unavailable, format!("The download broke off: {}.", Text::from(reason)));
    Trouble::passing(error, None)
}

/// The `ETag`, if it stands for exactly these bytes: a weak one does not.
fn etag(headers: &HeaderMap) -> Option<String> {
    let etag = headers.get(header::ETAG)?.to_str().ok()?;
    (!etag.starts_with("W/")).then(|| etag.to_owned())
}
