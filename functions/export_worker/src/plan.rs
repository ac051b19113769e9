//! Which buckets an export reads, and in which order.

use std::collections::BTreeMap;

use usage_export::directory::{Directory, Workspace, WorkspaceKind};
use usage_export::error::AwsError;
use usage_export::export::interval::Interval;
use usage_export::export::{DataExport, Position};
use usage_export::usage::{Month, partition_key, sort_key_bounds, split_partition_key};

/// The workspaces and months of an export. Buckets come in the order of the CSV: workspace id, then month.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Last known name of each workspace, by id; empty where the directory does not know it.
    pub workspace_names: BTreeMap<String, String>,
    interval: Interval,
}

/// A partition of the usage records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its place among all buckets of the plan.
    pub index: usize,
    /// The workspace.
    pub workspace_id: String,
    /// The key in the table.
    pub partition_key: String,
    /// The sort key after which to start, if a checkpoint is in this bucket.
    pub after: Option<String>,
}

impl Plan {
    /// Looks up which workspaces the export means.
    pub async fn resolve(directory: &Directory, export: &DataExport) -> Result<Self, AwsError> {
        let scope = &export.request.scope;
        let organization_id = &export.organization_id;
        // A workspace that was there when the request was accepted keeps its rows, whatever the directory says now.
        let mut workspace_names: BTreeMap<String, String> =
            scope.workspace_ids.iter().map(|id| (id.clone(), String::new())).collect();
        workspace_names
            .extend(names(directory.workspaces_of(organization_id, &scope.workspace_ids).await?, |_| true));
        if scope.looks_everywhere() || scope.personal_workspaces {
            let all = directory.all_workspaces(organization_id).await?;
            let wanted = |kind| scope.looks_everywhere() || kind == WorkspaceKind::Personal;
            workspace_names.extend(names(all, wanted));
        }
        Ok(Self { workspace_names, interval: export.request.interval })
    }

    /// When the runs started.
    pub fn interval(&self) -> Interval {
        self.interval
    }

    /// How many buckets there are.
    pub fn len(&self) -> usize {
        self.workspace_names.len() * self.interval.months().count()
    }

    /// Whether no workspace is meant at all, such as when there are no personal ones.
    pub fn is_empty(&self) -> bool {
        self.workspace_names.is_empty()
    }

    /// The buckets in order, without what is read up to `position`.
    pub fn buckets(&self, position: Option<&Position>) -> impl Iterator<Item = Bucket> + Send {
        let months: Vec<Month> = self.interval.months().collect();
        let position = position.cloned();
        let (_, end) = sort_key_bounds(self.interval.start(), self.interval.end());
        let workspace_ids: Vec<String> = self.workspace_names.keys().cloned().collect();
        let mut index = 0;
        workspace_ids
            .into_iter()
            .flat_map(move |workspace_id| {
                months.clone().into_iter().map(move |month| (workspace_id.clone(), month))
            })
            .filter_map(move |(workspace_id, month)| {
                let bucket = Bucket {
                    index,
                    partition_key: partition_key(&workspace_id, month),
                    workspace_id,
                    after: None,
                };
                index += 1;
                from_position(bucket, position.as_ref(), &end)
            })
    }
}

/// The bucket, if it is not wholly before the position; `end` is where every bucket ends.
fn from_position(bucket: Bucket, position: Option<&Position>, end: &str) -> Option<Bucket> {
    let Some(position) = position else { return Some(bucket) };
    // Not as whole keys: `wsp_1#…` and `wsp_10#…` would not compare as their ids do.
    match split_partition_key(&bucket.partition_key).cmp(&split_partition_key(&position.partition_key)) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal if position.sort_key.as_str() >= end => None,
        std::cmp::Ordering::Equal => Some(Bucket { after: Some(position.sort_key.clone()), ..bucket }),
        std::cmp::Ordering::Greater => Some(bucket),
    }
}

fn names(
    workspaces: BTreeMap<String, Workspace>,
    wanted: impl Fn(WorkspaceKind) -> bool,
) -> impl Iterator<Item = (String, String)> {
    workspaces
        .into_iter()
        .filter(move |(_, workspace)| wanted(workspace.kind))
        .map(|(id, workspace)| (id, workspace.name))
}

#[cfg(test)]
mod tests {
    use usage_export::export::interval::{parse_end, parse_start};

    use super::*;

    fn plan() -> Plan {
        let interval =
            Interval::new(parse_start("2024-12-05").unwrap(), parse_end("2025-02-01").unwrap()).unwrap();
        let workspace_names =
            ["wsp_b", "wsp_a", "wsp_a2"].map(|id| (id.to_owned(), String::new())).into_iter().collect();
        Plan { workspace_names, interval }
    }

    #[test]
    fn buckets_come_by_workspace_then_month() {
        let keys: Vec<_> = plan().buckets(None).map(|bucket| bucket.partition_key).collect();
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
    fn from_a_position_nothing_is_skipped_and_nothing_repeated() {
        let all: Vec<_> = plan().buckets(None).collect();
        for at in &all {
            let position =
                Position { partition_key: at.partition_key.clone(), sort_key: "2025-01-01#run".to_owned() };
            let rest: Vec<_> = plan().buckets(Some(&position)).collect();
            assert_eq!(rest[0].after.as_deref(), Some("2025-01-01#run"));
            assert_eq!(rest[0].index, at.index);
            assert_eq!(rest[1..], all[at.index + 1..]);
            let end = Position {
                sort_key: sort_key_bounds(plan().interval.start(), plan().interval.end()).1,
                ..position
            };
            let rest: Vec<_> = plan().buckets(Some(&end)).collect();
            assert_eq!(rest, all[at.index + 1..]);
        }
    }
}
