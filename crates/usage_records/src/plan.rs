//! Which partitions an export reads, and in which order.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use usage_export::directory::{Directory, Workspace, WorkspaceKind};
use usage_export::error::AwsError;
use usage_export::export::Position;
use usage_export::export::interval::Interval;
use usage_export::export::manifest::{ResolvedScope, ResolvedWorkspace};
use usage_export::export::request::{NamedIds, RequestSummary};
use usage_export::timestamp;
use usage_export::usage::{LAST_SORT_KEY, Month, partition_key, split_partition_key};

use crate::partition::{PartOfMonth, Partition};

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

    /// How much time the partitions cover, over all workspaces.
    pub fn covers(&self) -> Duration {
        let of_workspace = |workspace: &PlannedWorkspace| -> Duration {
            self.months(workspace).map(|month| self.part_of(workspace, month).length()).sum()
        };
        self.workspaces.iter().map(of_workspace).sum()
    }

    /// The partitions in order, without those that are read up to `position`.
    pub fn partitions(&self, position: Option<&Position>) -> impl Iterator<Item = Partition> + Send + use<> {
        let plan = self.clone();
        let position = position.cloned();
        let workspaces = plan.workspaces.clone().into_iter();
        let (mut index, mut covered_before) = (0, Duration::ZERO);
        workspaces
            .flat_map(move |workspace| {
                let months = plan.months(&workspace);
                let partitions: Vec<_> =
                    months.map(|month| plan.partition(workspace.clone(), month)).collect();
                partitions
            })
            .map(move |partition| {
                let partition = Partition { index, covered_before, ..partition };
                index += 1;
                covered_before += partition.time.length();
                partition
            })
            .filter_map(move |partition| from_position(partition, position.as_ref()))
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
        assert_eq!(keys(&plan).len(), 2);
    }

    #[test]
    fn partitions_cover_the_time_in_which_runs_can_have_started() {
        let days = |days: u64| Duration::from_hours(24 * days);
        let mut plan = plan();
        assert_eq!(plan.covers(), days(3 * (27 + 31 + 1)));
        // A clock that records runs may be a day ahead.
        plan.planned_ts = parse_start("2025-01-30").unwrap();
        plan.workspaces[0].created_ts = Some(parse_start("2025-01-11").unwrap());
        let millis = Duration::from_millis(1) * 3;
        assert_eq!(plan.covers(), days(20 + 2 * (27 + 30)) + millis);
        let all: Vec<_> = plan.partitions(None).collect();
        let mut covered = Duration::ZERO;
        for partition in &all {
            assert_eq!(partition.covered_before, covered);
            covered = partition.covered_up_to(LAST_SORT_KEY);
        }
        assert_eq!(covered, plan.covers());
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
