//! The manifest of a file while the file is written: it grows with each page, and a checkpoint names it, so that another worker
//! goes on with it.

use std::pin::pin;

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use usage_export::error::AwsError;
use usage_export::export::manifest::{Manifest, ReadTimes, ResolvedScope, Used};
use usage_export::export::{Counts, DataExport, SideObject, checksum_text};
use usage_export::usage::{Field, split_partition_key};

use crate::job::error::PipelineError;
use crate::sink::bucket::Bucket;
use crate::sink::part::Part;
use crate::sink::side_object::{self, Writing};
use usage_records::layout::attribute_of;
use usage_records::page::Page;
use usage_records::selection::Selection;

/// How many manifests of segments are read at the same time.
const MAX_READ_AT_ONCE: usize = 8;

/// The manifest of what is written so far.
pub struct GrowingManifest {
    manifest: Manifest,
    /// For each attribute that a record may lack: its place in [`query_csv::Page::lacking`], and the fields that are empty then.
    optional: Vec<(usize, Vec<Field>)>,
}

impl GrowingManifest {
    /// The manifest of an export whose file is begun.
    pub fn begin(export: &DataExport, scope: ResolvedScope, selection: &Selection) -> Self {
        Self::from(Manifest::new(export, scope), selection)
    }

    /// The manifest that a checkpoint names.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is not that of the checkpoint's counts.
    pub async fn resume(
        bucket: &Bucket,
        object: &SideObject,
        counts: Counts,
        selection: &Selection,
    ) -> Result<Self, AwsError> {
        Ok(Self::from(read(bucket, object, counts).await?, selection))
    }

    /// Adds what another manifest has.
    pub fn add_all(&mut self, other: &Self) {
        self.manifest.add(&other.manifest);
    }

    /// Adds the manifests of segments, with the counts that each has to have.
    ///
    /// # Errors
    ///
    /// One cannot be read, or is not that of the counts.
    pub async fn join(
        &mut self,
        bucket: &Bucket,
        manifests: &[(SideObject, Counts)],
    ) -> Result<(), AwsError> {
        let read = manifests.iter().map(|(object, counts)| read(bucket, object, *counts));
        let read = stream::iter(read).buffered(MAX_READ_AT_ONCE);
        let mut read = pin!(read);
        while let Some(manifest) = read.try_next().await? {
            self.manifest.add(&manifest);
        }
        Ok(())
    }

    fn from(manifest: Manifest, selection: &Selection) -> Self {
        let attributes = selection.layout.attributes().enumerate();
        let optional = attributes.filter_map(|(place, attribute)| {
            let fields = manifest.fields.iter().copied();
            let fields: Vec<_> = fields.filter(|field| attribute_of(*field) == Some(attribute)).collect();
            (!fields.is_empty()).then_some((place, fields))
        });
        let optional = optional.collect();
        Self { manifest, optional }
    }

    /// Adds the rows of a page that was read at `now`.
    ///
    /// # Errors
    ///
    /// The partition key of the page is malformed, which a plan excludes.
    pub fn add(&mut self, page: &Page, now: DateTime<Utc>) -> Result<(), AwsError> {
        let Self { manifest, optional } = self;
        manifest.read_ts.get_or_insert(ReadTimes { first: now, last: now }).last = now;
        let partition_key = &page.partition.partition_key;
        let month = split_partition_key(partition_key).and_then(|(_, month)| month.parse().ok());
        let month =
            month.ok_or_else(|| AwsError::corrupt(partition_key, "the partition key has no month"))?;
        let rows = &page.rows;
        manifest.totals.add(&page.partition.workspace_id, month, rows.counts.written, &rows.sum);
        for (place, fields) in optional {
            let lacking = rows.lacking[*place];
            for field in fields.iter().filter(|_| lacking > 0) {
                *manifest.empty_cells.entry(*field).or_default() += lacking;
            }
        }
        Ok(())
    }

    /// The exact sum of the credits so far; `None` if the file has no such column.
    pub fn credit_cost(&self) -> Option<String> {
        self.manifest.totals.total.credit_cost.as_ref().map(ToString::to_string)
    }

    /// Begins to write the manifest of a file with these counts as the object `key`.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Permanent`] if its rows are not those of the counts.
    pub fn write(
        &mut self,
        bucket: &Bucket,
        key: String,
        counts: Counts,
        crc32: u32,
        used: Used,
    ) -> Result<(SideObject, Writing), PipelineError> {
        let manifest = &mut self.manifest;
        if manifest.totals.total.rows != counts.written {
            let reason = format!("the manifest has {} rows: {counts:?}", manifest.totals.total.rows);
            return Err(PipelineError::integrity_mismatch(reason));
        }
        manifest.rows = counts.written;
        manifest.bytes = counts.bytes;
        manifest.checksum = checksum_text(crc32);
        manifest.used = Some(used);
        let json = serde_json::to_vec_pretty(manifest).map_err(|error| AwsError::internal(&key, &error))?;
        let mut body = Part::default();
        body.push(json);
        Ok(side_object::write(bucket, key, "application/json", body))
    }
}

async fn read(bucket: &Bucket, object: &SideObject, counts: Counts) -> Result<Manifest, AwsError> {
    let json = side_object::read(bucket, object).await?;
    let manifest: Manifest =
        serde_json::from_slice(&json).map_err(|error| AwsError::internal(&object.key, &error))?;
    if (manifest.rows, manifest.bytes) != (counts.written, counts.bytes) {
        return Err(AwsError::corrupt(&object.key, format!("it is not the manifest of {counts:?}")));
    }
    Ok(manifest)
}
