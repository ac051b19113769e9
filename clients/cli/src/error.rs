//! Why a command has no result: a sentence that says what was wrong and what to do, and the exit code for programs.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::text::Text;

/// What went wrong. Each kind has an exit code of its own, because a script reacts to each in another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The API refuses the request as it is, or something on this machine fails.
    Refused,
    /// The command line is wrong, or a file is in the way.
    Usage,
    /// The key is not valid, or may not do this.
    Denied,
    /// The export ended without a file.
    Failed,
    /// The export was cancelled.
    Cancelled,
    /// There is no such export, or its file has expired.
    NotFound,
    /// What arrived is not the file that was written.
    Integrity,
    /// The export has not finished yet.
    NotFinished,
    /// The API cannot be reached, or asks to come back later.
    Unavailable,
}

impl Kind {
    /// The exit code and the name in JSON. `args/examples.rs` and the README describe them.
    fn code_and_name(self) -> (u8, &'static str) {
        match self {
            Self::Refused => (1, "refused"),
            Self::Usage => (2, "usage"),
            Self::Denied => (3, "denied"),
            Self::Failed => (4, "failed"),
            Self::Cancelled => (5, "cancelled"),
            Self::NotFound => (6, "not_found"),
            Self::Integrity => (7, "integrity"),
            Self::NotFinished => (8, "not_finished"),
            Self::Unavailable => (9, "unavailable"),
        }
    }

    /// The kind of a refusal, by its HTTP status.
    pub fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Denied,
            404 => Self::NotFound,
            429 | 500.. => Self::Unavailable,
            _ => Self::Refused,
        }
    }
}

/// An error. Its message holds nothing that a terminal would obey, and no address that was signed.
#[derive(Debug)]
pub struct Error {
    pub kind: Kind,
    pub message: String,
    /// For a request that can be repeated without a second export.
    pub idempotency_key: Option<String>,
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), idempotency_key: None }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// An answer that the API's contract does not know.
    pub fn unexpected(what: &str) -> Self {
        let message =
            format!("The answer is not one of this API: {what}. Check the URL and this program's version.");
        Self::new(Kind::Refused, message)
    }

    /// A file of this machine that cannot be used.
    pub fn file(path: &Path, what: &str, error: &io::Error) -> Self {
        let path = Text::from(path.to_string_lossy());
        Self::new(Kind::Refused, format!("{path} cannot be {what}: {error}."))
    }

    pub fn exit_code(&self) -> u8 {
        self.kind.code_and_name().0
    }

    /// The error for programs.
    pub fn to_json(&self) -> Value {
        let (code, name) = self.kind.code_and_name();
        let mut document = json!({"error": name, "message": self.message, "exit_code": code});
        if let Some(key) = &self.idempotency_key {
            document["idempotency_key"] = key.as_str().into();
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_the_exit_code_that_a_script_reacts_to() {
        for (status, code) in
            [(400, 1), (401, 3), (403, 3), (404, 6), (409, 1), (422, 1), (429, 9), (500, 9), (503, 9)]
        {
            assert_eq!(Error::new(Kind::of_status(status), "").exit_code(), code, "{status}");
        }
    }
}
