//! What the owner of a completed export can download: its file and its manifest.

use chrono::{DateTime, Utc};

use super::{DataExport, checksum_text};
use crate::problem::{Problem, refusal};

/// An object of a completed export, as the worker wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The export's id.
    pub data_export_id: String,
    /// The key of the object in the bucket.
    pub key: String,
    /// Its media type.
    pub content_type: &'static str,
    /// The name under which a browser saves it.
    pub file_name: String,
    /// How many bytes it has.
    pub bytes: Option<u64>,
    /// CRC-32 of those, in the form of [`DataExport::checksum`].
    pub checksum: Option<String>,
    /// Its `ETag`, where S3 may have no checksum of the whole object.
    pub etag: Option<String>,
}

impl Document {
    /// The media type of a file.
    pub const CSV: &str = "text/csv; charset=utf-8";

    /// The largest document inside an answer, in bytes. An answer of Lambda has at most 6 MB, and base64 makes the document a third
    /// larger.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
    pub const MAX_INLINE_BYTES: u64 = 4 * 1024 * 1024;

    /// The file of a completed export.
    ///
    /// # Errors
    ///
    /// 404 once it has expired.
    pub fn file(export: &DataExport, now: DateTime<Utc>) -> Result<Self, Problem> {
        refuse_expired(export, now)?;
        Ok(Self {
            data_export_id: export.data_export_id.clone(),
            key: export.object_key(),
            content_type: Self::CSV,
            file_name: export.file_name(),
            bytes: export.size_bytes,
            checksum: export.checksum.clone(),
            etag: export.etag.clone(),
        })
    }

    /// The manifest of a completed export. It is saved beside the file, where `cargo xtask verify` looks for it.
    ///
    /// # Errors
    ///
    /// 404 once it has expired with its file, and for an export that was made before there were manifests.
    pub fn manifest(export: &DataExport, now: DateTime<Utc>) -> Result<Self, Problem> {
        refuse_expired(export, now)?;
        let Some(manifest) = &export.manifest else {
            return Err(refusal::no_manifest());
        };
        Ok(Self {
            data_export_id: export.data_export_id.clone(),
            key: manifest.key.clone(),
            content_type: "application/json",
            file_name: export.file_name().replace(".csv", ".manifest.json"),
            bytes: Some(manifest.bytes),
            checksum: Some(checksum_text(manifest.crc32)),
            etag: None,
        })
    }

    /// The `Content-Disposition` that makes a browser save it, and under which name.
    pub fn content_disposition(&self) -> String {
        format!("attachment; filename=\"{}\"", self.file_name)
    }
}

fn refuse_expired(export: &DataExport, now: DateTime<Utc>) -> Result<(), Problem> {
    if export.is_expired(now) { Err(refusal::expired()) } else { Ok(()) }
}
