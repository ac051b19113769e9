//! Which partitions an export reads, and in which order.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use usage_export::directory::{Directory, Workspace, WorkspaceKind};
use usage_export::error::AwsError;
use usage_export::export::interval::Interval;
use usage_export::export::manifest::{ResolvedScope, ResolvedWorkspace};
use usage_export::export::request::{NamedIds, RequestSummary};
use usage_export::export::{Cut, Position, Range};
use usage_export::timestamp;
use usage_export::usage::{LAST_SORT_KEY, Month, partition_key, sort_key_bounds, split_partition_key};

use crate::partition::{PartOfMonth, Partition};

mod cuts;

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
    /// Resolves the scope of a request to workspaces of the organization. `ids` are those that the request names; `now` is when
    /// the plan is made.
    ///
    /// # Errors
    ///
    /// The directory could not be read.
    pub async fn resolve(
        directory: &Directory,
        organization_id: &str,
        request: &RequestSummary,
        ids: &NamedIds,
        now: DateTime<Utc>,
    ) -> Result<Self, AwsError> {
        let scope = &request.scope;
        let mut known = directory.workspaces_of(organization_id, &ids.workspace_ids).await?;
        if scope.looks_everywhere() || scope.organization_workspaces || scope.personal_workspaces {
            let all = directory.all_workspaces(organization_id).await?;
            let is_wanted = |workspace: &Workspace| {
                let of_kind = match workspace.kind {
                    WorkspaceKind::Organization => scope.organization_workspaces,
                    WorkspaceKind::Personal => scope.personal_workspaces,
                };
                of_kind || scope.looks_everywhere()
            };
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
        Ok(Self { workspaces, interval: request.interval, planned_ts: now })
    }

    /// The workspaces that are read, of which only runs of these workbooks.
    pub fn scope(&self, workbook_ids: BTreeSet<String>) -> ResolvedScope {
        let workspaces = self.workspaces.iter().map(|workspace| ResolvedWorkspace {
            workspace_id: workspace.id.clone(),
            name: workspace.name.clone(),
        });
        ResolvedScope { workspaces: workspaces.collect(), entity_ids: workbook_ids }
    }

    /// How much time a range covers, over all workspaces.
    pub fn covers(&self, range: &Range) -> Duration {
        if *range != Range::default() {
            return self.partitions(range, None).map(|partition| partition.time.length()).sum();
        }
        // An export has up to some hundred thousand partitions: without their keys it is quicker.
        let of_workspace = |workspace: &PlannedWorkspace| -> Duration {
            self.months(workspace).map(|month| self.part_of(workspace, month).length()).sum()
        };
        self.workspaces.iter().map(of_workspace).sum()
    }

    /// The partitions of a range in order, without those that are read up to `position`.
    pub fn partitions(
        &self,
        range: &Range,
        position: Option<&Position>,
    ) -> impl Iterator<Item = Partition> + Send + use<> {
        let plan = self.clone();
        let (range, position) = (range.clone(), position.cloned());
        let workspaces = plan.workspaces.clone().into_iter().filter({
            let range = range.clone();
            move |workspace| may_have(&range, &workspace.id)
        });
        let (mut index, mut covered_before) = (0, Duration::ZERO);
        workspaces
            .flat_map(move |workspace| {
                let months = plan.months(&workspace);
                let partitions: Vec<_> =
                    months.map(|month| plan.partition(workspace.clone(), month)).collect();
                partitions
            })
            .filter_map(move |partition| partition.within(&range))
            .map(move |partition| {
                let partition = Partition { index, covered_before, ..partition };
                index += 1;
                covered_before += partition.time.length();
                partition
            })
            .filter_map(move |partition| from_position(partition, position.as_ref()))
    }

    /// How much time a range has of the later months of a partition's workspace.
    pub fn later_of_workspace(&self, range: &Range, partition: &Partition) -> Duration {
        let id = &partition.workspace_id;
        let Ok(place) = self.workspaces.binary_search_by(|workspace| workspace.id.cmp(id)) else {
            return Duration::ZERO;
        };
        let workspace = &self.workspaces[place];
        let later = self.months(workspace).filter(|month| *month > partition.month);
        let later = later.filter_map(|month| self.partition(workspace.clone(), month).within(range));
        later.map(|partition| partition.time.length()).sum()
    }

    /// How many workspaces are read.
    pub fn workspace_count(&self) -> usize {
        self.workspaces.len()
    }

    /// The first month in which the workspace at this place among those of the plan can have runs that are wanted, and how many
    /// such months there are: as many as it has partitions. `None` if there are none.
    pub fn months_at(&self, place: usize) -> Option<(Month, NonZeroU32)> {
        let months = self.first_and_last_month(self.workspaces.get(place)?);
        months.and_then(|(first, last)| Some((first, NonZeroU32::new(last.since(first) + 1)?)))
    }

    /// The partition of the workspace at this place and of one of its months. Its `index` and `covered_before` are not told.
    pub fn partition_at(&self, place: usize, month: Month) -> Option<Partition> {
        self.workspaces.get(place).map(|workspace| self.partition(workspace.clone(), month))
    }

    fn partition(&self, workspace: PlannedWorkspace, month: Month) -> Partition {
        Partition {
            index: 0,
            partition_key: partition_key(&workspace.id, month),
            time: self.part_of(&workspace, month),
            sort_keys: sort_key_bounds(month, self.interval.start(), self.interval.end()),
            workspace_id: workspace.id,
            workspace_name: workspace.name,
            month,
            after: None,
            covered_before: Duration::ZERO,
        }
    }

    /// The months of the interval in which the workspace can have runs.
    fn months(&self, workspace: &PlannedWorkspace) -> impl Iterator<Item = Month> + use<> {
        let months = self.first_and_last_month(workspace);
        months
            .into_iter()
            .flat_map(|(first, last)| (0..=last.since(first)).map(move |later| first.plus(later)))
    }

    fn first_and_last_month(&self, workspace: &PlannedWorkspace) -> Option<(Month, Month)> {
        let start = Month::of(self.interval.start());
        let first = workspace.created_ts.map_or(start, |created_ts| start.max(Month::of(created_ts)));
        let last = Month::of(self.interval.end()).min(Month::of(self.planned_ts + MAX_CLOCK_SKEW));
        (first <= last).then_some((first, last))
    }

    /// The part of a month in which the workspace can have runs that are wanted.
    fn part_of(&self, workspace: &PlannedWorkspace, month: Month) -> PartOfMonth {
        let first = workspace.created_ts.map_or(self.interval.start(), |ts| ts.max(self.interval.start()));
        PartOfMonth::new(month, first, self.interval.end().min(self.planned_ts + MAX_CLOCK_SKEW))
    }
}

/// Whether a range may have partitions of a workspace.
fn may_have(range: &Range, workspace_id: &str) -> bool {
    let workspace_of = |cut: &Option<Cut>| {
        cut.as_ref().and_then(|cut| Some(split_partition_key(&cut.partition_key)?.0.to_owned()))
    };
    let is_before = workspace_of(&range.from).is_some_and(|from| workspace_id < from.as_str());
    let is_behind = workspace_of(&range.until).is_some_and(|until| workspace_id > until.as_str());
    !is_before && !is_behind
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
mod tests;
