//! Events as CSV, with the columns that audit logs have elsewhere, too.

use std::collections::{BTreeMap, BTreeSet};

use query_csv::escape_formula;

use super::call::Instants;
use super::event::Event;
use super::read::{Purpose, Selection};
use super::trail::AuditTrail;
use crate::directory::{Directory, Member};
use crate::error::AwsError;
use crate::problem::{Problem, RequestError};
use crate::timestamp;

/// The largest file, in bytes. An answer of Lambda has at most 6 MB, and base64 makes a file a third larger.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

/// The columns. No event has a workspace: an export may be of many.
const COLUMNS: [&str; 8] =
    ["log_id", "timestamp", "event_type", "user_id", "user_email", "source_ip", "workspace_id", "details"];

impl AuditTrail {
    /// All events of an organization within this time as CSV, the oldest first.
    ///
    /// # Errors
    ///
    /// 400 if they are more than [`MAX_FILE_BYTES`]. An internal error if the tables cannot be read.
    pub async fn file(
        &self,
        directory: &Directory,
        organization_id: &str,
        instants: Instants,
    ) -> Result<Vec<u8>, RequestError> {
        let mut csv = Csv::new();
        let mut members = BTreeMap::new();
        let mut cursor = None;
        loop {
            let selection = Selection::Within(instants);
            let (events, next) =
                self.page(organization_id, selection, Purpose::File, cursor.as_ref()).await?;
            add_members(directory, organization_id, &events, &mut members).await?;
            for event in &events {
                csv.write(event, &members)?;
            }
            if csv.bytes() > MAX_FILE_BYTES {
                return Err(too_large(&events).into());
            }
            match next {
                Some(next) => cursor = Some(next),
                None => return Ok(csv.finish()?),
            }
        }
    }
}

/// Adds the members whom events name and who are not known yet.
async fn add_members(
    directory: &Directory,
    organization_id: &str,
    events: &[Event],
    members: &mut BTreeMap<String, Member>,
) -> Result<(), AwsError> {
    let named: BTreeSet<_> = events.iter().filter_map(|event| event.user_id.as_deref()).collect();
    let unknown: BTreeSet<_> = named.into_iter().filter(|user_id| !members.contains_key(*user_id)).collect();
    if !unknown.is_empty() {
        members.extend(directory.members(organization_id, unknown).await?);
    }
    Ok(())
}

fn too_large(last: &[Event]) -> Problem {
    let reached = last.last().map(|event| timestamp::to_text(event.timestamp)).unwrap_or_default();
    let mebibytes = MAX_FILE_BYTES / 1024 / 1024;
    Problem::field(
        "end_date",
        format!(
            "is too late: the events up to {reached} fill the {mebibytes} MiB that a file has; ask for less at a time"
        ),
    )
}

/// A file that is written.
struct Csv(csv::Writer<Vec<u8>>);

impl Csv {
    fn new() -> Self {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        // Memory does not fail.
        let _ = writer.write_record(COLUMNS);
        Self(writer)
    }

    fn write(&mut self, event: &Event, members: &BTreeMap<String, Member>) -> Result<(), AwsError> {
        let details = |error| AwsError::internal(&event.log_id, &error);
        let mut json = serde_json::to_value(&event.details).map_err(details)?;
        if let Some(data_export_id) = &event.data_export_id {
            json["data_export_id"] = data_export_id.as_str().into();
        }
        let user_id = event.user_id.as_deref().unwrap_or_default();
        let email = members.get(user_id).map(|member| member.email.as_str()).unwrap_or_default();
        let record = [
            &event.log_id,
            &*timestamp::to_text(event.timestamp),
            event.event_type.name(),
            &escape_formula(user_id),
            &escape_formula(email),
            event.source_ip.as_deref().unwrap_or_default(),
            "",
            &json.to_string(),
        ];
        self.0.write_record(record).map_err(|error| AwsError::internal(&event.log_id, &error))
    }

    /// How large the file is, without what the writer holds back.
    fn bytes(&self) -> usize {
        self.0.get_ref().len()
    }

    fn finish(self) -> Result<Vec<u8>, AwsError> {
        self.0.into_inner().map_err(|error| AwsError::internal("CSV", error.error()))
    }
}
