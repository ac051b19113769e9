//! The names that a file joins to its rows: workbooks, users.
//!
//! Only what the rows meet is looked up, and only if a requested field needs it.

use std::sync::Arc;

use usage_export::directory::{Directory, Workbook};
use usage_export::error::AwsError;
use usage_export::timestamp;

use crate::columns::{Columns, KnownCells};
use crate::known::{Known, Place};
use crate::rows::{Rows, Subject, Unknown};

/// Looks names up and completes rows with them.
pub struct Names {
    /// Where to look.
    pub directory: Directory,
    /// The organization of the users.
    pub organization_id: String,
    /// What needs them, and remembers them.
    pub columns: Arc<Columns>,
}

impl Names {
    /// The text of the rows, complete.
    ///
    /// # Errors
    ///
    /// The directory could not be read, or has a workbook that cannot be written.
    pub async fn complete(&self, rows: Rows) -> Result<Vec<u8>, AwsError> {
        if rows.gaps.is_empty() {
            return Ok(rows.text);
        }
        self.look_up(&rows).await?;
        let text = self.fill(&rows)?;
        self.columns.buffers.keep(rows.text);
        Ok(text)
    }

    /// Looks up what is still not known: a page before this one may have met the same ids.
    async fn look_up(&self, rows: &Rows) -> Result<(), AwsError> {
        let (workbooks, users) = {
            let known = &mut *self.columns.known();
            // Before, so that nothing is forgotten between here and its use.
            known.workbooks.make_room();
            known.users.make_room();
            (not_known(&known.workbooks, &rows.workbooks), not_known(&known.users, &rows.users))
        };
        let found_workbooks = self.directory.workbooks(workbooks.iter().copied()).await?;
        found_workbooks.values().try_for_each(check)?;
        let found_users = self.directory.members(&self.organization_id, users.iter().copied()).await?;
        let known = &mut *self.columns.known();
        for id in workbooks {
            let pieces = self.columns.workbook_pieces(id.as_bytes(), found_workbooks.get(id));
            known.workbooks.add(id.as_bytes(), pieces);
        }
        for id in users {
            let email = found_users.get(id).map(|member| member.email.as_str());
            known.users.add(id.as_bytes(), self.columns.user_pieces(id.as_bytes(), email));
        }
        Ok(())
    }

    fn fill(&self, rows: &Rows) -> Result<Vec<u8>, AwsError> {
        let KnownCells { workbooks, users } = &*self.columns.known();
        let (of_workbooks, of_users) = (places(workbooks, &rows.workbooks)?, places(users, &rows.users)?);
        let pieces = rows.gaps.iter().map(|gap| match gap.of {
            Subject::Workbook(index) => (gap.at, workbooks.piece(of_workbooks[index], gap.piece)),
            Subject::User(index) => (gap.at, users.piece(of_users[index], gap.piece)),
        });
        let room = rows.text.len() + pieces.clone().map(|(_, piece)| piece.len()).sum::<usize>();
        let mut text = self.columns.buffers.take(room);
        let mut copied = 0;
        for (at, piece) in pieces {
            text.put(&rows.text[copied..at]);
            text.put(piece);
            copied = at;
        }
        text.put(&rows.text[copied..]);
        Ok(text.into_bytes())
    }
}

fn not_known<'a>(known: &Known, unknown: &'a Unknown) -> Vec<&'a str> {
    unknown.ids.iter().map(String::as_str).filter(|id| known.find(id.as_bytes()).is_none()).collect()
}

/// Where the cells are of ids that were looked up.
fn places(known: &Known, looked_up: &Unknown) -> Result<Vec<Place>, AwsError> {
    let place =
        |id: &String| known.find(id.as_bytes()).ok_or_else(|| AwsError::unexpected(id, "its cells are gone"));
    looked_up.ids.iter().map(place).collect()
}

fn check(workbook: &Workbook) -> Result<(), AwsError> {
    let created_ts = workbook.created_ts.as_deref().unwrap_or_default();
    if !created_ts.is_empty() && timestamp::from_text(created_ts).is_none() {
        return Err(AwsError::corrupt(
            "workbook",
            "created_ts is not an ISO 8601 UTC time with milliseconds",
        ));
    }
    Ok(())
}
