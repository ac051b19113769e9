//! What a file will be, before there is one: its header, its first rows, and about how large it gets.
//!
//! It is bounded and cheap, whatever is asked for: at most [`MAX_CALLS`] small calls of `Query`, some of them at the same time, and
//! nothing is kept. `docs/adr/0024-an-estimate-is-a-bounded-sample.md` has the reasons and how far an estimate is from the truth.
//!
//! | module       | what it does                                                          |
//! | ------------ | --------------------------------------------------------------------- |
//! | `first_rows` | finds the first rows                                                  |
//! | `estimate`   | from a survey to rows and bytes                                       |
//! | `survey`     | decides which excerpts of which partitions are read                   |
//! | `population` | the partitions of a plan in a random order                            |
//! | `ages`       | which months of a workspace are visited                               |
//! | `sum`        | from the visits to a workspace to its rows                            |
//! | `visit`      | what is read of one partition, and what is not                        |
//! | `millis`     | times, and times of the week                                          |
//! | `cells`      | reads rows back from the bytes of a file                              |

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::timeout;
use usage_export::directory::Directory;
use usage_export::error::AwsError;
use usage_export::export::request::{ExportRequest, NamedIds, RequestSummary};

use crate::names::Names;
use crate::page::ReadError;
use crate::plan::Plan;
use crate::query::UsageRecords;
use crate::selection::Selection;

mod ages;
mod cells;
mod estimate;
mod first_rows;
mod millis;
mod population;
mod sum;
mod survey;
mod visit;

pub use cells::ROWS;
pub use estimate::Estimate;

/// How many calls of `Query` to the table of usage records a preview makes at most.
pub const MAX_CALLS: usize = first_rows::MAX_CALLS + survey::MAX_CALLS;

/// How long a preview may take. Usually it is well below a second.
const MAX_DURATION: Duration = Duration::from_secs(5);

/// What a file will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The ids of its columns, as in its first line.
    pub header: Vec<String>,
    /// Some of its rows, [`ROWS`] at most: the cells as the file will have them.
    pub rows: Vec<Vec<String>>,
    /// Which rows these are.
    pub rows_are: RowsAre,
    /// About how large it will be.
    pub estimate: Estimate,
}

/// Which rows of a file a preview has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsAre {
    /// All of them.
    All,
    /// The first ones. There may be more, also if there are fewer than [`ROWS`].
    First,
    /// From anywhere in the file, because the first ones were not found within the bounds. None if no row was found at all, although
    /// there may be some.
    Examples,
}

/// Why there is no preview. The export can be made nevertheless, unless a record is bad.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// A call failed, or a record makes no right row.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It took longer than five seconds.
    #[error("a preview takes too long")]
    TooSlow,
}

impl From<AwsError> for PreviewError {
    fn from(error: AwsError) -> Self {
        Self::Read(error.into())
    }
}

/// Makes the preview of what a request of the organization asks for, whose workspaces must have been checked
/// ([`Submitter::check_workspaces`](usage_export::export::submit::Submitter::check_workspaces)): it reads the ones that the request
/// names, whoever they belong to. For the same request, records and `now` it is the same.
///
/// Reads are eventually consistent, so a run that was just recorded may be missing. Apart from usage records it reads the
/// organization's workspaces and the names of the rows that it looks at.
///
/// # Errors
///
/// [`PreviewError`]; nothing is tried again but by the SDK.
pub async fn preview(
    records: &UsageRecords,
    directory: &Directory,
    organization_id: &str,
    request: &ExportRequest,
    now: DateTime<Utc>,
) -> Result<Preview, PreviewError> {
    // On the heap, because it is large.
    let preview = Box::pin(make(records, directory, organization_id, request, now));
    timeout(MAX_DURATION, preview).await.map_err(|_| PreviewError::TooSlow)?
}

async fn make(
    records: &UsageRecords,
    directory: &Directory,
    organization_id: &str,
    request: &ExportRequest,
    now: DateTime<Utc>,
) -> Result<Preview, PreviewError> {
    let ExportRequest { fields, scope, .. } = request;
    let ids = NamedIds { workspace_ids: scope.workspace_ids.clone(), entity_ids: scope.entity_ids.clone() };
    let summary = RequestSummary::from(request.clone());
    let plan = Plan::resolve(directory, organization_id, &summary, &ids, now).await?;
    // Each has its own, because two that complete pages must not share a cell cache.
    let names_of_first = names(directory, organization_id, request)?;
    let names_of_sample = names(directory, organization_id, request)?;
    let seed = seed(organization_id, request);
    let (first, (estimate, examples)) = tokio::try_join!(
        first_rows::first_rows(records, &names_of_first, &plan),
        estimate::estimate(records, &names_of_sample, &plan, fields, now, seed),
    )?;
    let (rows, rows_are) = match first.rows {
        rows if rows.is_empty() && first.is_cut_off => (examples, RowsAre::Examples),
        rows if rows.len() == ROWS || first.is_cut_off => (rows, RowsAre::First),
        rows => (rows, RowsAre::All),
    };
    let header = fields.iter().map(|field| field.id().to_owned()).collect();
    Ok(Preview { header, rows, rows_are, estimate })
}

/// Completes the rows of what is asked for.
fn names(directory: &Directory, organization_id: &str, request: &ExportRequest) -> Result<Names, AwsError> {
    let selection = Selection::new(request.interval, &request.fields, &request.scope.entity_ids)
        .map_err(|error| AwsError::internal("row layout", &error))?;
    let (directory, organization_id) = (directory.clone(), organization_id.to_owned());
    Ok(Names { directory, organization_id, selection: Arc::new(selection) })
}

/// A number that is the same for the same request, so that its estimate does not change from look to look. Other fields give the
/// same rows.
fn seed(organization_id: &str, request: &ExportRequest) -> u64 {
    let ExportRequest { interval, scope, .. } = request;
    let mut hasher = DefaultHasher::new();
    (organization_id, interval.start().timestamp_millis(), interval.end().timestamp_millis())
        .hash(&mut hasher);
    (scope.all_workspaces, scope.organization_workspaces, scope.personal_workspaces).hash(&mut hasher);
    (&scope.workspace_ids, &scope.entity_ids).hash(&mut hasher);
    hasher.finish()
}
