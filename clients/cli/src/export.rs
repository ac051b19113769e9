//! An export as the API describes it.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::text::Text;

/// The reason of an export that was cancelled.
const CANCELLED: &str = "cancelled";
/// The longest id that the API takes.
const MAX_ID_CHARS: usize = 256;

/// The id of an export. It has only characters that a shell takes as they are, because messages show commands with it that
/// people paste.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ExportId(String);

impl FromStr for ExportId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        // A leading hyphen would be an option.
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if starts_well && text.len() <= MAX_ID_CHARS && text.chars().all(is_plain) {
            return Ok(Self(text.to_owned()));
        }
        Err("an id of an export has letters, digits and hyphens only, as `start` prints it".to_owned())
    }
}

impl TryFrom<String> for ExportId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl Display for ExportId {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    Requested,
    InProgress,
    Completed,
    Failed,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }

    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// What this program uses of an export. The contract promises the first three, everything else may be missing.
#[derive(Debug, Deserialize)]
pub struct Status {
    pub data_export_id: ExportId,
    pub state: State,
    pub created_ts: Text,
    pub progress: Option<u64>,
    pub row_count: Option<u64>,
    pub rows_per_second: Option<u64>,
    pub estimated_finish_ts: Option<Text>,
    pub start_ts: Option<Text>,
    pub end_ts: Option<Text>,
    pub size_bytes: Option<u64>,
    pub checksum: Option<Text>,
    pub error: Option<Text>,
    pub user_id: Option<Text>,
    pub user_email: Option<Text>,
}

/// An export, and the document that described it.
#[derive(Debug)]
pub struct Export {
    pub status: Status,
    pub document: Value,
    /// How long it takes still, where the API can tell: by the server's own clock, so that it does not matter how wrong that of
    /// this machine is.
    pub left: Option<Duration>,
}

impl Export {
    /// Reads an answer. `date` is its header of that name.
    pub fn read(document: Value, date: Option<&str>) -> Result<Self, Error> {
        // serde would read the members of an array in their order.
        if !document.is_object() {
            return Err(Error::unexpected("it describes no export"));
        }
        let status: Status = serde_json::from_value(document.clone())
            .map_err(|error| Error::unexpected(&Text::from(error.to_string()).to_string()))?;
        let finish = status.estimated_finish_ts.as_ref().map(|text| DateTime::parse_from_rfc3339(text.raw()));
        let now = date.map(DateTime::<FixedOffset>::parse_from_rfc2822);
        let left = match (finish, now) {
            (Some(Ok(finish)), Some(Ok(now))) => (finish - now).to_std().ok(),
            _ => None,
        };
        Ok(Self { status, document, left })
    }

    /// Whether the finished export has a file.
    ///
    /// # Errors
    ///
    /// It was cancelled, or has failed for a reason that the message repeats.
    pub fn must_be_completed(&self) -> Result<(), Error> {
        let Status { data_export_id: id, state, error, .. } = &self.status;
        match (state, error) {
            (State::Completed, _) => Ok(()),
            (State::Failed, Some(error)) if error.raw() == CANCELLED => Err(Error::new(
                Kind::Cancelled,
                format!("The export {id} was cancelled. Start a new one if it is needed."),
            )),
            (State::Failed, error) => {
                let reason = error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
                Err(Error::new(Kind::Failed, format!("The export {id} has failed{reason}")))
            }
            (state, _) => {
                let message = format!(
                    "The export {id} is {}: its file is not ready. Wait for it with `usage-export wait {id}`.",
                    state.name()
                );
                Err(Error::new(Kind::NotFinished, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn export(more: &Value) -> Result<Export, Error> {
        let mut document = json!({"data_export_id": "0194-a", "state": "IN_PROGRESS", "created_ts": "2025-01-31T09:30:00.000Z"});
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Export::read(document, Some("Fri, 31 Jan 2025 09:31:00 GMT"))
    }

    #[test]
    fn the_time_left_is_told_by_the_clock_of_the_server() {
        let left = |finish: &str| export(&json!({"estimated_finish_ts": finish})).unwrap().left;
        assert_eq!(left("2025-01-31T09:33:30.000Z"), Some(Duration::from_secs(150)));
        assert_eq!(left("2025-01-31T09:30:00.000Z"), None, "in the past");
        assert_eq!(left("soon"), None);
    }

    #[test]
    fn an_id_cannot_be_a_command() {
        for id in ["$(reboot)", "a b", "--force", "", "a;b", "a\u{1b}b", "../x"] {
            assert!(id.parse::<ExportId>().is_err(), "{id}");
            assert!(export(&json!({"data_export_id": id})).is_err(), "{id}");
        }
        assert!("0194c7a8-0000-7000-8000-000000000001".parse::<ExportId>().is_ok());
    }

    #[test]
    fn an_outcome_is_told_apart() {
        let kind = |more: Value| export(&more).unwrap().must_be_completed().map_err(|error| error.kind);
        assert_eq!(kind(json!({"state": "COMPLETED"})), Ok(()));
        assert_eq!(kind(json!({"state": "FAILED", "error": "cancelled"})), Err(Kind::Cancelled));
        assert_eq!(kind(json!({"state": "FAILED", "error": "too large"})), Err(Kind::Failed));
        assert_eq!(kind(json!({"state": "FAILED"})), Err(Kind::Failed));
        assert_eq!(kind(json!({})), Err(Kind::NotFinished));
    }
}
