//! Which partitions an export reads, and in which order.
//!
//! The plan is made once, at the first claim, and kept in an object beside the file: a workspace that is added, renamed or
//! deleted while the export runs changes nothing, whichever worker goes on with it.

use std::collections::BTreeSet;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use usage_export::directory::{Directory, Workspace, WorkspaceKind};
use usage_export::error::AwsError;
use usage_export::export::interval::Interval;
use usage_export::export::manifest::{ResolvedScope, ResolvedWorkspace};
use usage_export::export::request::NamedIds;
use usage_export::export::{DataExport, Position};
use usage_export::timestamp;
use usage_export::usage::{LAST_SORT_KEY, Month, partition_key, split_partition_key};

use crate::Worker;
use crate::job::error::PipelineError;
use crate::sink::bucket::Bucket;
use crate::sink::leftovers::PLAN;
use crate::source::query::Partition;

/// How far a clock that records starts of runs may be ahead of the worker's.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::days(1);

/// The workspaces and months of an export. Partitions come in the order of the CSV: workspace id, then month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In the order of their ids.
    workspaces: Vec<PlannedWorkspace>,
    interval: Interval,
    /// Later months have no runs yet.
    #[serde(with = "timestamp::serde_text")]
    planned_ts: DateTime<Utc>,
}

/// A workspace as the directory knew it when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PlannedWorkspace {
    id: String,
    /// The last known name; empty where the directory does not know the workspace.
    name: String,
    /// Earlier months have no runs. Absent if that is not known.
    #[serde(default, with = "timestamp::serde_text_option", skip_serializing_if = "Option::is_none")]
    created_ts: Option<DateTime<Utc>>,
}

impl Plan {
    /// The plan of an export: the one that a former worker made, or a new one. `ids` are those that its request names.
    ///
    /// # Errors
    ///
    /// The directory or the bucket could not be read or written.
    pub async fn of_export(worker: &Worker, export: &DataExport, ids: &NamedIds) -> Result<Self, AwsError> {
        let key = format!("{}{PLAN}", export.object_prefix());
        // The first worker finds none, so it does not look for one.
        if export.epoch > 1
            && let Some(plan) = read(&worker.bucket, &key).await?
        {
            return Ok(plan);
        }
        let plan = Self::resolve(&worker.directory, export, ids, (worker.clock)()).await?;
        if write(&worker.bucket, &key, &plan).await? {
            return Ok(plan);
        }
        let made = read(&worker.bucket, &key).await?;
        made.ok_or_else(|| AwsError::unexpected(&key, "the plan is there and is not there"))
    }

    /// Resolves the export's scope to workspaces.
    async fn resolve(
        directory: &Directory,
        export: &DataExport,
        ids: &NamedIds,
        now: DateTime<Utc>,
    ) -> Result<Self, AwsError> {
        let scope = &export.request.scope;
        let organization_id = &export.organization_id;
        let mut known = directory.workspaces_of(organization_id, &ids.workspace_ids).await?;
        if scope.looks_everywhere() || scope.personal_workspaces {
            let all = directory.all_workspaces(organization_id).await?;
            let is_wanted =
                |workspace: &Workspace| scope.looks_everywhere() || workspace.kind == WorkspaceKind::Personal;
            known.extend(all.into_iter().filter(|(_, workspace)| is_wanted(workspace)));
        }
        // A workspace that was there when the request was accepted keeps its rows, whatever the directory says now.
        let unknown = ids.workspace_ids.iter().filter(|id| !known.contains_key(*id)).cloned();
        let unknown: Vec<_> =
            unknown.map(|id| PlannedWorkspace { id, name: String::new(), created_ts: None }).collect();
        let known = known.into_iter().map(|(id, Workspace { name, created_ts, .. })| PlannedWorkspace {
            id,
            name,
            created_ts,
        });
        let mut workspaces: Vec<_> = known.chain(unknown).collect();
        workspaces.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Self { workspaces, interval: export.request.interval, planned_ts: now })
    }

    /// The workspaces that are read, of which only runs of these workbooks.
    pub fn scope(&self, workbook_ids: BTreeSet<String>) -> ResolvedScope {
        let workspaces = self.workspaces.iter().map(|workspace| ResolvedWorkspace {
            workspace_id: workspace.id.clone(),
            name: workspace.name.clone(),
        });
        ResolvedScope { workspaces: workspaces.collect(), entity_ids: workbook_ids }
    }

    /// How many partitions there are.
    pub fn len(&self) -> usize {
        self.workspaces.iter().map(|workspace| self.months(workspace).count()).sum()
    }

    /// Whether there is nothing to read, for example when an organization has no personal workspaces.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The partitions in order, without those that are read up to `position`.
    pub fn partitions(&self, position: Option<&Position>) -> impl Iterator<Item = Partition> + Send + use<> {
        let plan = self.clone();
        let position = position.cloned();
        let workspaces = plan.workspaces.clone().into_iter();
        workspaces
            .flat_map(move |workspace| {
                let months: Vec<_> = plan.months(&workspace).collect();
                months.into_iter().map(move |month| (workspace.clone(), month))
            })
            .enumerate()
            .filter_map(move |(index, (workspace, month))| {
                let partition = Partition {
                    index,
                    partition_key: partition_key(&workspace.id, month),
                    workspace_id: workspace.id,
                    workspace_name: workspace.name,
                    month,
                    after: None,
                };
                from_position(partition, position.as_ref())
            })
    }

    /// The months of the interval in which the workspace can have runs.
    fn months(&self, workspace: &PlannedWorkspace) -> impl Iterator<Item = Month> + use<> {
        let first = workspace.created_ts.map(Month::of);
        let last = Month::of(self.planned_ts + MAX_CLOCK_SKEW);
        let months = self.interval.months();
        months.filter(move |month| first.is_none_or(|first| *month >= first) && *month <= last)
    }
}

/// The ids that the request of an export names. Without them the export would have other rows than were asked for, or all.
///
/// # Errors
///
/// The ids could not be read; [`PipelineError::Permanent`] if they are gone, or not those of the request.
pub async fn named_ids(worker: &Worker, export: &DataExport) -> Result<NamedIds, PipelineError> {
    let lost = |cause: String| {
        PipelineError::Permanent {
        reason: "The workspaces and workbooks that the export names could not be read, so the file would have been wrong."
            .to_owned(),
        cause,
    }
    };
    match worker.exports.named_ids(export).await {
        Ok(Some(ids)) => Ok(ids),
        Ok(None) => Err(lost("the ids that the request names are gone".to_owned())),
        Err(error) if error.is_permanent() => Err(lost(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

async fn read(bucket: &Bucket, key: &str) -> Result<Option<Plan>, AwsError> {
    let object = match bucket.client.get_object().bucket(&bucket.name).key(key).send().await {
        Ok(object) => object,
        Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
        Err(error) => return Err(AwsError::from_sdk("s3:GetObject")(error)),
    };
    let json = object.body.collect().await.map_err(|error| AwsError::internal(key, &error))?;
    serde_json::from_slice(&json.into_bytes()).map(Some).map_err(|error| AwsError::internal(key, &error))
}

/// Writes the plan unless there is one; returns whether there was none.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
async fn write(bucket: &Bucket, key: &str, plan: &Plan) -> Result<bool, AwsError> {
    let json = serde_json::to_vec(plan).map_err(|error| AwsError::internal(key, &error))?;
    let put = bucket.client.put_object().bucket(&bucket.name).key(key).if_none_match("*");
    match put.content_type("application/json").body(ByteStream::from(json)).send().await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.code(), Some("PreconditionFailed" | "ConditionalRequestConflict")) => {
            Ok(false)
        }
        Err(error) => Err(AwsError::from_sdk("s3:PutObject")(error)),
    }
}

/// The partition, unless all of it is before the position.
fn from_position(partition: Partition, position: Option<&Position>) -> Option<Partition> {
    let Some(position) = position else { return Some(partition) };
    // Whole keys would not do: `wsp_1#…` and `wsp_10#…` do not compare as their workspace ids do.
    match split_partition_key(&partition.partition_key).cmp(&split_partition_key(&position.partition_key)) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal if position.sort_key.as_str() >= LAST_SORT_KEY => None,
        std::cmp::Ordering::Equal => Some(Partition { after: Some(position.sort_key.clone()), ..partition }),
        std::cmp::Ordering::Greater => Some(partition),
    }
}

#[cfg(test)]
mod tests {
    use usage_export::export::interval::{parse_end, parse_start};

    use super::*;

    fn plan() -> Plan {
        let interval =
            Interval::new(parse_start("2024-12-05").unwrap(), parse_end("2025-02-01").unwrap()).unwrap();
        let workspaces = ["wsp_a", "wsp_a2", "wsp_b"].map(planned).to_vec();
        Plan { workspaces, interval, planned_ts: parse_start("2025-06-01").unwrap() }
    }

    fn planned(id: &str) -> PlannedWorkspace {
        PlannedWorkspace { id: id.to_owned(), name: String::new(), created_ts: None }
    }

    fn keys(plan: &Plan) -> Vec<String> {
        plan.partitions(None).map(|partition| partition.partition_key).collect()
    }

    #[test]
    fn months_that_cannot_have_runs_are_not_read() {
        let mut plan = plan();
        plan.workspaces.truncate(1);
        plan.workspaces[0].created_ts = Some(parse_start("2025-01-31").unwrap());
        assert_eq!(keys(&plan), ["wsp_a#2025-01", "wsp_a#2025-02"], "before the workspace was created");
        // A clock that records runs may be a day ahead.
        plan.planned_ts = parse_start("2025-01-30T12:00:00").unwrap();
        assert_eq!(keys(&plan), ["wsp_a#2025-01"], "after the export began");
        plan.planned_ts = parse_start("2025-01-31T12:00:00").unwrap();
        assert_eq!((keys(&plan).len(), plan.len()), (2, 2));
    }

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        let mut plan = plan();
        plan.workspaces[1].created_ts = Some(parse_start("2025-01-31").unwrap());
        let json = serde_json::to_vec(&plan).unwrap();
        assert_eq!(serde_json::from_slice::<Plan>(&json).unwrap(), plan);
    }

    #[test]
    fn partitions_come_by_workspace_then_month() {
        let keys = keys(&plan());
        assert_eq!(
            keys,
            [
                "wsp_a#2024-12",
                "wsp_a#2025-01",
                "wsp_a#2025-02",
                "wsp_a2#2024-12",
                "wsp_a2#2025-01",
                "wsp_a2#2025-02",
                "wsp_b#2024-12",
                "wsp_b#2025-01",
                "wsp_b#2025-02",
            ]
        );
        assert_eq!(plan().len(), keys.len());
    }

    #[test]
    fn continues_at_a_position_without_a_gap_or_a_repetition() {
        let all: Vec<_> = plan().partitions(None).collect();
        for at in &all {
            let position =
                Position { partition_key: at.partition_key.clone(), sort_key: "2025-01-01#run".to_owned() };
            let rest: Vec<_> = plan().partitions(Some(&position)).collect();
            assert_eq!(rest[0].after.as_deref(), Some("2025-01-01#run"));
            assert_eq!(rest[0].index, at.index);
            assert_eq!(rest[1..], all[at.index + 1..]);
            let end = Position { sort_key: LAST_SORT_KEY.to_owned(), ..position };
            let rest: Vec<_> = plan().partitions(Some(&end)).collect();
            assert_eq!(rest, all[at.index + 1..]);
        }
    }
}
