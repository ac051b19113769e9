//! The manifest of a file: what was asked for, what was read and when, and what the rows add up to.
//!
//! An accountant reconciles the file with it, and a program verifies the file (`cargo xtask verify`). It is JSON, and the
//! same export has the same bytes: members have a fixed order, workspaces are sorted by id and months by time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::interval::Interval;
use super::{Cost, DataExport, checksum_text};
#[cfg(feature = "schema")]
use crate::schema;
use crate::timestamp;
use crate::usage::Field;

mod totals;

pub use totals::{Total, Totals};

/// The version of the members of a [`Manifest`]. It grows when one of them gets another meaning or goes away. A new member
/// leaves it as it is, so readers must ignore members that they do not know.
pub const SCHEMA_VERSION: u32 = 1;

/// What the API document says of a manifest.
#[cfg(feature = "schema")]
const MANIFEST: &str = "What a file holds. Ignore members that you do not know: `schema_version` grows when one changes its meaning.";

/// What the file of a completed export holds.
///
/// ```
/// use usage_export::export::manifest::Manifest;
///
/// let json = r#"{
///   "schema_version": 1,
///   "data_export_id": "0194c7a8-0000-7000-8000-000000000001",
///   "organization_id": "org_1",
///   "created_ts": "2025-02-03T08:00:00.000Z",
///   "read_ts": {
///     "first": "2025-02-03T08:00:00.310Z",
///     "last": "2025-02-03T08:00:04.020Z"
///   },
///   "fields": [
///     "workspace_id",
///     "run_id",
///     "credit_cost",
///     "pl_run_created_ts"
///   ],
///   "interval": {
///     "start": "2024-12-01T00:00:00.000Z",
///     "end": "2025-01-31T23:59:59.999Z"
///   },
///   "scope": {
///     "workspaces": [
///       {
///         "workspace_id": "wsp_1",
///         "name": "Finance"
///       },
///       {
///         "workspace_id": "wsp_2",
///         "name": "Sales, EU"
///       }
///     ],
///     "entity_ids": []
///   },
///   "rows": 3,
///   "bytes": 217,
///   "checksum": "crc32:0a1b2c3d",
///   "empty_cells": {
///     "credit_cost": 1
///   },
///   "totals": {
///     "total": {
///       "rows": 3,
///       "credit_cost": "0.3"
///     },
///     "workspaces": {
///       "wsp_1": {
///         "rows": 3,
///         "credit_cost": "0.3"
///       }
///     },
///     "months": {
///       "2024-12": {
///         "rows": 1,
///         "credit_cost": "0.1"
///       },
///       "2025-01": {
///         "rows": 2,
///         "credit_cost": "0.2"
///       }
///     }
///   },
///   "used": {
///     "read_units": 2,
///     "s3_requests": 6,
///     "worker_ms": 3700
///   }
/// }"#;
/// let manifest: Manifest = serde_json::from_str(json)?;
/// assert_eq!(serde_json::to_string_pretty(&manifest)?, json);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(description = MANIFEST))]
pub struct Manifest {
    /// [`SCHEMA_VERSION`].
    #[cfg_attr(feature = "schema", schemars(description = "Version of the members.", extend("const" = SCHEMA_VERSION)))]
    pub schema_version: u32,
    /// The export's id.
    #[cfg_attr(feature = "schema", schemars(with = "schema::ExportId"))]
    pub data_export_id: String,
    /// The organization whose data was exported.
    pub organization_id: String,
    /// When the export was asked for.
    #[serde(with = "timestamp::serde_text")]
    #[cfg_attr(feature = "schema", schemars(with = "schema::Timestamp"))]
    pub created_ts: DateTime<Utc>,
    /// When usage records were read; absent if there was no partition to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_ts: Option<ReadTimes>,
    /// The columns of the file, in their order.
    pub fields: Vec<Field>,
    /// Between which instants the runs started, as the request was understood.
    pub interval: Interval,
    /// Which workspaces and workbooks were read.
    pub scope: ResolvedScope,
    /// Rows in the file. The header is not counted.
    pub rows: u64,
    /// Size of the file in bytes, the header included.
    pub bytes: u64,
    /// CRC-32 of the file, such as `crc32:0a1b2c3d`.
    #[cfg_attr(feature = "schema", schemars(with = "schema::Checksum"))]
    pub checksum: String,
    /// How many cells of a column are empty because the usage record lacks the value: it has no such attribute, or `NULL`,
    /// or an empty text. The columns that are joined by it are counted too. Columns without such a cell are not listed. A name
    /// that the directory does not know is not counted here.
    pub empty_cells: BTreeMap<Field, u64>,
    /// Rows, and what they cost.
    pub totals: Totals,
    /// What the export itself cost; absent from a manifest that was written before this was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Used>,
}

impl Manifest {
    /// The manifest of a file without rows.
    pub fn new(export: &DataExport, scope: ResolvedScope) -> Self {
        let request = &export.request;
        Self {
            schema_version: SCHEMA_VERSION,
            data_export_id: export.data_export_id.clone(),
            organization_id: export.organization_id.clone(),
            created_ts: export.created_ts,
            read_ts: None,
            fields: request.fields.clone(),
            interval: request.interval,
            scope,
            rows: 0,
            bytes: 0,
            checksum: checksum_text(0),
            empty_cells: BTreeMap::new(),
            totals: Totals::new(&request.fields),
            used: None,
        }
    }
}

/// What making the file took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Used {
    /// Read units of DynamoDB that the records cost.
    pub read_units: u64,
    /// Requests to S3, and milliseconds for which workers were busy, up to the writing of the manifest.
    #[serde(flatten)]
    pub cost: Cost,
}

impl Manifest {
    /// Adds what the manifest of a segment has: rows and bytes, costs, empty cells, and when it was read. What was asked for stays as it
    /// is, and so does the checksum.
    pub fn add(&mut self, segment: &Self) {
        self.rows += segment.rows;
        self.bytes += segment.bytes;
        for (field, cells) in &segment.empty_cells {
            *self.empty_cells.entry(*field).or_default() += cells;
        }
        self.totals.add_all(&segment.totals);
        self.read_ts = match (self.read_ts, segment.read_ts) {
            (Some(one), Some(other)) => {
                Some(ReadTimes { first: one.first.min(other.first), last: one.last.max(other.last) })
            }
            (one, other) => one.or(other),
        };
    }
}

/// When the usage records of a file were read. A run that was recorded in between may be in the file or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReadTimes {
    /// When the first page was asked for.
    #[serde(with = "timestamp::serde_text")]
    #[cfg_attr(feature = "schema", schemars(with = "schema::Timestamp"))]
    pub first: DateTime<Utc>,
    /// When the last page had arrived.
    #[serde(with = "timestamp::serde_text")]
    #[cfg_attr(feature = "schema", schemars(with = "schema::Timestamp"))]
    pub last: DateTime<Utc>,
}

/// What a request's scope turned out to be when the export was first claimed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResolvedScope {
    /// The workspaces that were read, also those without a row, sorted by id.
    pub workspaces: Vec<ResolvedWorkspace>,
    /// Only runs of these workbooks are in the file; empty for runs of every workbook.
    pub entity_ids: BTreeSet<String>,
}

/// A workspace that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResolvedWorkspace {
    /// Its id.
    pub workspace_id: String,
    /// Its last known name. It is not escaped as it is in the CSV.
    pub name: String,
}
