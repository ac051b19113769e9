//! `NAME.part`: the bytes of a file that have arrived, and `NAME.part.json`, which says of what.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crc32fast::Hasher;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};
use crate::export::Status;

/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// Which file is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    data_export_id: String,
    pub size_bytes: u64,
    /// CRC-32, as `crc32:0a1b2c3d`.
    pub checksum: String,
}

impl Wanted {
    /// The file of a completed export.
    ///
    /// # Errors
    ///
    /// The API does not say what makes a file the right one.
    pub fn of(status: &Status) -> Result<Self, Error> {
        let checksum = status.checksum.as_ref().map(|checksum| checksum.raw().to_owned());
        match (status.size_bytes, checksum) {
            (Some(size_bytes), Some(checksum)) if checksum.starts_with("crc32:") => {
                Ok(Self { data_export_id: status.data_export_id.to_string(), size_bytes, checksum })
            }
            _ => {
                let message = "The API names no size and CRC-32 for the file, so that it cannot be verified. A newer version of \
                               this program may know what it names.";
                Err(Error::new(Kind::Integrity, message))
            }
        }
    }
}

/// The content of `NAME.part.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Origin {
    #[serde(flatten)]
    wanted: Wanted,
    /// Of the object in the bucket.
    etag: Option<String>,
}

/// What has arrived of a file. No other process writes to it.
pub struct PartialFile {
    path: PathBuf,
    origin_path: PathBuf,
    file: File,
    origin: Origin,
    len: u64,
    crc32: Hasher,
}

/// Refuses to replace a file.
///
/// # Errors
///
/// There is one, and no `force`; or `target` is a folder.
pub fn refuse_existing(target: &Path, force: bool) -> Result<(), Error> {
    match fs::symlink_metadata(target) {
        Ok(metadata) if metadata.is_dir() => {
            Err(Error::usage(format!("{} is a folder: name a file in it.", target.display())))
        }
        Ok(_) if !force => Err(in_the_way(target)),
        _ => Ok(()),
    }
}

fn in_the_way(path: &Path) -> Error {
    Error::usage(format!(
        "{} is there already: name another file, or replace it with --force.",
        path.display()
    ))
}

impl PartialFile {
    /// Opens the part of a file, with the bytes of an earlier download if they are of the same file.
    ///
    /// # Errors
    ///
    /// It cannot be written, another process writes to it, or a file of that name comes from elsewhere.
    pub fn open(target: &Path, wanted: Wanted, force: bool) -> Result<Self, Error> {
        let (path, origin_path) = (beside(target, ".part"), beside(target, ".part.json"));
        let cannot = |error| Error::file(&path, "written", &error);
        let is_there = path.try_exists().map_err(cannot)?;
        // Browsers name theirs alike.
        if is_there && !force && !origin_path.try_exists().map_err(cannot)? {
            return Err(in_the_way(&path));
        }
        let file = open_without_links(&path).map_err(cannot)?;
        if file.try_lock().is_err() || !is_same_file(&file, &path) {
            let message =
                format!("Another download writes to {}: wait for it, or name another file.", path.display());
            return Err(Error::usage(message));
        }
        let known: Option<Origin> =
            fs::read(&origin_path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let etag = known.filter(|known| known.wanted == wanted).map(|known| known.etag);
        let is_of_it = etag.is_some();
        let origin = Origin { wanted, etag: etag.flatten() };
        let mut partial = Self { path, origin_path, file, origin, len: 0, crc32: Hasher::new() };
        if is_of_it {
            partial.read_again()?;
        } else {
            partial.restart()?;
        }
        Ok(partial)
    }

    pub fn wanted(&self) -> &Wanted {
        &self.origin.wanted
    }

    /// How many bytes are there.
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn etag(&self) -> Option<&str> {
        self.origin.etag.as_deref()
    }

    /// Whether as many bytes are there as the file has.
    pub fn is_complete(&self) -> bool {
        self.len == self.origin.wanted.size_bytes
    }

    /// Whether it is the file.
    pub fn is_right(&self) -> bool {
        let checksum = format!("crc32:{:08x}", self.crc32.clone().finalize());
        self.is_complete() && checksum == self.origin.wanted.checksum
    }

    /// Takes note of the object whose bytes follow.
    pub fn begin(&mut self, etag: Option<String>) -> Result<(), Error> {
        self.origin.etag = etag;
        self.write_origin()
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|error| Error::file(&self.path, "written", &error))?;
        self.crc32.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Forgets all bytes.
    pub fn restart(&mut self) -> Result<(), Error> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|error| Error::file(&self.path, "written", &error))?;
        (self.len, self.crc32, self.origin.etag) = (0, Hasher::new(), None);
        self.write_origin()
    }

    /// Removes it: it is of no use.
    pub fn discard(&self) {
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(&self.origin_path);
    }

    /// Gives the file its name. Only for one that is right.
    ///
    /// # Errors
    ///
    /// A file of that name has appeared, and no `force`; or the folder cannot be written.
    pub fn finish(self, target: &Path, force: bool) -> Result<(), Error> {
        let cannot = |error| Error::file(target, "written", &error);
        // A name must not survive a power cut that the bytes do not.
        self.file.sync_all().map_err(cannot)?;
        if force {
            fs::rename(&self.path, target).map_err(cannot)?;
        } else {
            // A rename would replace a file that has appeared meanwhile.
            match fs::hard_link(&self.path, target) {
                Ok(()) => fs::remove_file(&self.path).map_err(cannot)?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(in_the_way(target)),
                // Some file systems have no second names.
                Err(_) => {
                    refuse_existing(target, force)?;
                    fs::rename(&self.path, target).map_err(cannot)?;
                }
            }
        }
        let _ = fs::remove_file(&self.origin_path);
        Ok(())
    }

    /// Reads what an earlier download has left, for the checksum.
    fn read_again(&mut self) -> Result<(), Error> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read =
                self.file.read(&mut buffer).map_err(|error| Error::file(&self.path, "read", &error))?;
            if read == 0 {
                break;
            }
            self.crc32.update(&buffer[..read]);
            self.len += read as u64;
        }
        if self.len > self.origin.wanted.size_bytes { self.restart() } else { Ok(()) }
    }

    fn write_origin(&self) -> Result<(), Error> {
        let written = serde_json::to_vec(&self.origin).map_err(Into::into);
        let written = written.and_then(|text| fs::write(&self.origin_path, text));
        written.map_err(|error| Error::file(&self.origin_path, "written", &error))
    }
}

fn beside(target: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(target);
    name.push(ending);
    name.into()
}

/// Opens a file for reading and writing. In a folder that others write to, a link of that name could lead to another file.
fn open_without_links(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options.open(path)
}

/// Whether the path still names the file: another download may have finished it between opening and locking.
#[cfg(unix)]
fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let of = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), fs::symlink_metadata(path)), (Ok(file), Ok(named)) if of(&file) == of(&named))
}

#[cfg(not(unix))]
fn is_same_file(_: &File, _: &Path) -> bool {
    true
}
