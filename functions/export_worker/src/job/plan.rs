//! Which partitions an export reads, and in which order.

use std::collections::BTreeMap;

use usage_export::directory::{Directory, Workspace, WorkspaceKind};
use usage_export::error::AwsError;
use usage_export::export::interval::Interval;
use usage_export::export::{DataExport, Position};
use usage_export::usage::{Month, partition_key, sort_key_bounds, split_partition_key};

use crate::source::query::Partition;

/// The workspaces and months of an export. Partitions come in the order of the CSV: workspace id, then month.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The last known name of each workspace by id; empty where the directory does not know it.
    workspace_names: BTreeMap<String, String>,
    interval: Interval,
}

impl Plan {
    /// Resolves the export's scope to workspaces.
    ///
    /// # Errors
    ///
    /// The directory could not be read.
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

    /// The interval in which the runs started.
    pub fn interval(&self) -> Interval {
        self.interval
    }

    /// How many partitions there are: workspaces times months.
    pub fn len(&self) -> usize {
        self.workspace_names.len() * self.interval.months().count()
    }

    /// Whether the scope has no workspace, for example when an organization has no personal ones.
    pub fn is_empty(&self) -> bool {
        self.workspace_names.is_empty()
    }

    /// The partitions in order, without those that are read up to `position`.
    pub fn partitions(&self, position: Option<&Position>) -> impl Iterator<Item = Partition> + Send {
        let months: Vec<Month> = self.interval.months().collect();
        let position = position.cloned();
        let (_, end) = sort_key_bounds(self.interval.start(), self.interval.end());
        let mut index = 0;
        self.workspace_names
            .clone()
            .into_iter()
            .flat_map(move |workspace| {
                months.clone().into_iter().map(move |month| (workspace.clone(), month))
            })
            .filter_map(move |((workspace_id, workspace_name), month)| {
                let partition = Partition {
                    index,
                    partition_key: partition_key(&workspace_id, month),
                    workspace_id,
                    workspace_name,
                    after: None,
                };
                index += 1;
                from_position(partition, position.as_ref(), &end)
            })
    }
}

/// The partition, unless all of it is before the position; `end` is the sort key at which every partition ends.
fn from_position(partition: Partition, position: Option<&Position>, end: &str) -> Option<Partition> {
    let Some(position) = position else { return Some(partition) };
    // Whole keys would not do: `wsp_1#…` and `wsp_10#…` do not compare as their workspace ids do.
    match split_partition_key(&partition.partition_key).cmp(&split_partition_key(&position.partition_key)) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal if position.sort_key.as_str() >= end => None,
        std::cmp::Ordering::Equal => Some(Partition { after: Some(position.sort_key.clone()), ..partition }),
        std::cmp::Ordering::Greater => Some(partition),
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
    fn partitions_come_by_workspace_then_month() {
        let keys: Vec<_> = plan().partitions(None).map(|partition| partition.partition_key).collect();
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
            let end = Position {
                sort_key: sort_key_bounds(plan().interval.start(), plan().interval.end()).1,
                ..position
            };
            let rest: Vec<_> = plan().partitions(Some(&end)).collect();
            assert_eq!(rest, all[at.index + 1..]);
        }
    }
}
