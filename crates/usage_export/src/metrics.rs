//! Metrics in `CloudWatch`'s embedded metric format: a line of the log, from which `CloudWatch` takes the figures. It costs no call and
//! no permission. `docs/adr/0033-metrics-are-lines-of-the-log.md` has the reasons.
//!
//! An event is written by whoever made the conditional write that it is about, right after it. So a message that is delivered twice
//! writes no event twice. A process that dies in between costs the line.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::io::Write as _;
use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::config;
use crate::export::{DataExport, FailureReason};

/// The namespace of all metrics in `CloudWatch`.
pub const NAMESPACE: &str = "UsageDataExport";

/// The dimension that tells one deployment in an account from another: its stack's name.
pub const STACK: &str = "Stack";

/// The dimension of [`Metric::ExportsFailed`] with the [reason](FailureReason). An id is never one: each value of a dimension is a
/// metric of its own, which costs money.
pub const REASON: &str = "Reason";

/// The stack whose metrics this process writes; none where nobody has called [`init`].
static OF_STACK: OnceLock<String> = OnceLock::new();

/// A figure. The name of the variant is its name in `CloudWatch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// An export was accepted.
    ExportsAccepted,
    /// A worker began an export.
    ExportsStarted,
    /// How long the export had waited for it since it was accepted, for its turn too.
    QueueWait,
    /// An export became COMPLETED.
    ExportsCompleted,
    /// Rows of its file.
    Rows,
    /// Size of its file.
    Bytes,
    /// From its acceptance to its end.
    Duration,
    /// For how long workers were busy with it, which Lambda bills.
    WorkerTime,
    /// Read units of the usage records that it took.
    ReadUnits,
    /// Requests to S3 that it took.
    S3Requests,
    /// An export became FAILED for another reason than that it was cancelled.
    ExportsFailed,
    /// An export was cancelled.
    ExportsCancelled,
    /// SES took an email.
    EmailsSent,
    /// SES refused an email, which may be tried again.
    EmailsRefused,
    /// An email was not sent, or nobody knows, and it is not tried again.
    EmailsLost,
    /// The reconciler found an export that nobody worked on.
    ReconcilerFinds,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::ExportsAccepted,
        Self::ExportsStarted,
        Self::QueueWait,
        Self::ExportsCompleted,
        Self::Rows,
        Self::Bytes,
        Self::Duration,
        Self::WorkerTime,
        Self::ReadUnits,
        Self::S3Requests,
        Self::ExportsFailed,
        Self::ExportsCancelled,
        Self::EmailsSent,
        Self::EmailsRefused,
        Self::EmailsLost,
        Self::ReconcilerFinds,
    ];

    /// Its name in `CloudWatch`.
    ///
    /// ```
    /// assert_eq!(usage_export::metrics::Metric::QueueWait.name(), "QueueWait");
    /// ```
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// Its unit in `CloudWatch`.
    fn unit(self) -> &'static str {
        match self {
            Self::QueueWait | Self::Duration | Self::WorkerTime => "Milliseconds",
            Self::Bytes => "Bytes",
            _ => "Count",
        }
    }
}

/// From now on this process writes the metrics of this stack to standard output, if there is one. Call it in `main`.
pub fn init(stack: config::Stack) {
    if let Some(name) = stack.name {
        // Whoever was first stays: it is the same in one process.
        let _ = OF_STACK.set(name);
    }
}

/// An export was put into the table.
pub(crate) fn accepted(export: &DataExport) {
    write(export, export.created_ts, None, &[(Metric::ExportsAccepted, 1)]);
}

/// A worker has claimed an export for the first time.
pub(crate) fn started(export: &DataExport, now: DateTime<Utc>) {
    let waited = millis(now, export.created_ts);
    write(export, now, None, &[(Metric::ExportsStarted, 1), (Metric::QueueWait, waited)]);
}

/// An export became COMPLETED, after so many read units.
pub(crate) fn completed(export: &DataExport, read_units: u64, now: DateTime<Utc>) {
    let cost = export.cost();
    let figures = [
        (Metric::ExportsCompleted, 1),
        (Metric::Rows, export.row_count),
        (Metric::Bytes, export.size_bytes.unwrap_or_default()),
        (Metric::Duration, millis(now, export.created_ts)),
        (Metric::WorkerTime, cost.worker_ms),
        (Metric::ReadUnits, read_units),
        (Metric::S3Requests, cost.s3_requests),
    ];
    write(export, now, None, &figures);
}

/// An export became FAILED.
pub(crate) fn failed(export: &DataExport, reason: FailureReason, now: DateTime<Utc>) {
    if reason == FailureReason::Cancelled {
        write(export, now, None, &[(Metric::ExportsCancelled, 1)]);
    } else {
        write(export, now, Some(reason), &[(Metric::ExportsFailed, 1)]);
    }
}

/// Something happened once to an export.
pub fn count(metric: Metric, export: &DataExport, now: DateTime<Utc>) {
    write(export, now, None, &[(metric, 1)]);
}

fn millis(now: DateTime<Utc>, since: DateTime<Utc>) -> u64 {
    u64::try_from((now - since).num_milliseconds()).unwrap_or_default()
}

fn write(export: &DataExport, now: DateTime<Utc>, reason: Option<FailureReason>, figures: &[(Metric, u64)]) {
    let Some(stack) = OF_STACK.get() else { return };
    let mut line = line(stack, export, now, reason, figures).to_string();
    line.push('\n');
    // In one piece, so that no other line gets into it. Without standard output there is no log either.
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

/// One event. The ids are members of the line and no dimensions: queries of the log find it by them.
fn line(
    stack: &str,
    export: &DataExport,
    now: DateTime<Utc>,
    reason: Option<FailureReason>,
    figures: &[(Metric, u64)],
) -> Value {
    let definitions: Vec<_> =
        figures.iter().map(|(metric, _)| json!({"Name": metric.name(), "Unit": metric.unit()})).collect();
    // Those that fail are counted for each reason and all together.
    let dimensions = match reason {
        Some(_) => json!([[STACK], [STACK, REASON]]),
        None => json!([[STACK]]),
    };
    let mut line = json!({
        "_aws": {
            "Timestamp": now.timestamp_millis(),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": definitions}],
        },
        STACK: stack,
        "data_export_id": export.data_export_id,
        "organization_id": export.organization_id,
    });
    if let Some(reason) = reason {
        line[REASON] = reason.name().into();
    }
    for (metric, figure) in figures {
        line[metric.name()] = (*figure).into();
    }
    line
}

#[cfg(test)]
mod tests;
