//! The API key: from the environment or a file, never from the command line, which every user of the machine can read.

use std::fmt::{self, Debug, Formatter};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::Error;

/// Where the key is looked for without `--key-file`.
pub const VARIABLE: &str = "USAGE_EXPORT_KEY";
/// No key is longer.
const MAX_FILE_BYTES: u64 = 4096;

/// An API key.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// Reads the key from the file, or from the environment if there is none.
    ///
    /// # Errors
    ///
    /// There is no key, others can read the file, or it holds something else than a key.
    pub fn find(file: Option<&Path>) -> Result<Self, Error> {
        match (file, std::env::var(VARIABLE)) {
            (Some(path), _) => Self::parse(&read(path)?, &path.to_string_lossy()),
            (None, Ok(key)) => Self::parse(&key, VARIABLE),
            (None, Err(_)) => Err(Error::usage(format!(
                "There is no API key: set {VARIABLE}, or name a file with --key-file."
            ))),
        }
    }

    fn parse(text: &str, source: &str) -> Result<Self, Error> {
        let key = text.trim();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!(
                "{source} does not hold an API key: one line of letters and digits, as it was handed out."
            );
            return Err(Error::usage(message));
        }
        Ok(Self(key.to_owned()))
    }

    /// The value of the header `Authorization`.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

/// Shows nothing of the key.
impl Debug for Key {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(…)")
    }
}

fn read(path: &Path) -> Result<String, Error> {
    let cannot = |error| Error::file(path, "read", &error);
    let file = File::open(path).map_err(cannot)?;
    // Of the file that is open, and not of the path: another one cannot be put in its place in between.
    refuse_shared(path, &file)?;
    let mut text = String::new();
    file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(cannot)?;
    Ok(text)
}

#[cfg(unix)]
fn refuse_shared(path: &Path, file: &File) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt as _;

    let mode = file.metadata().map_err(|error| Error::file(path, "read", &error))?.mode();
    let of_others = mode & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Error::usage(format!(
        "Others can read {path}, which holds an API key: run `chmod 600 {path}` first."
    )))
}

#[cfg(not(unix))]
fn refuse_shared(_: &Path, _: &File) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_word_and_is_never_shown() {
        let key = Key::parse("  uex_abc123\r\n", VARIABLE).unwrap();
        assert_eq!(key.bearer(), "Bearer uex_abc123");
        assert!(!format!("{key:?}").contains("abc"));
        for text in ["", "  \n", "two words", "a\r\nHost: b", "schlüssel"] {
            assert!(Key::parse(text, VARIABLE).is_err(), "{text:?}");
        }
    }
}
