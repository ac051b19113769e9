//! Generates runs, one after the other, in no order of time.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, Utc};
use fastrand::Rng;

use super::calendar::{Calendar, midnight, time_by_schedule};
use super::costs::credit_cost;
use super::directory::Directory;
use super::new_id;
use super::weighted::Weighted;
use super::workload::Workload;
use crate::records::{Item, UsageRecord};

/// The starts that break careless intervals repeat after this many runs.
const SPECIAL_STARTS_PERIOD: usize = 500;

/// One execution of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run<'a> {
    pub id: String,
    pub workspace_id: &'a str,
    pub workbook_id: &'a str,
    pub user_id: &'a str,
    pub start: DateTime<Utc>,
    /// Absent while the run is going on.
    pub finished: Option<DateTime<Utc>>,
    /// An exact decimal; absent while none is recorded.
    pub credit_cost: Option<String>,
}

impl Run<'_> {
    /// The run's item in `UsageRecords`.
    pub fn to_item(&self) -> Item {
        let record = UsageRecord {
            workspace_id: self.workspace_id,
            start: self.start,
            run_id: &self.id,
            workbook_id: self.workbook_id,
            user_id: self.user_id,
            credit_cost: self.credit_cost.as_deref(),
            finished: self.finished,
        };
        record.to_item()
    }
}

/// How the start of a run is chosen.
#[derive(Clone, Copy)]
enum Start {
    /// A time at which a person or a schedule starts it, depending on the workbook.
    Ordinary,
    Midnight,
    FirstOfMonth,
    LastMillisecondOfMonth,
    /// The same workspace and the same instant as the run before.
    SameInstant,
}

impl Start {
    fn of(index: usize) -> Self {
        match index % SPECIAL_STARTS_PERIOD {
            5 => Self::Midnight,
            6 => Self::FirstOfMonth,
            7 => Self::LastMillisecondOfMonth,
            8 | 20..23 => Self::SameInstant,
            _ => Self::Ordinary,
        }
    }
}

/// An endless sequence of runs. For each, a day is picked, a workbook that exists on that day, and a time.
pub struct Runs<'a> {
    rng: Rng,
    calendar: Calendar,
    organizations: Weighted,
    workloads: Vec<Workload<'a>>,
    index: usize,
    previous: Option<Run<'a>>,
}

impl<'a> Runs<'a> {
    /// Prepares the runs of the eighteen months before `today`.
    pub fn new(directory: &'a Directory, today: NaiveDate, mut rng: Rng) -> Self {
        let organizations = &directory.organizations;
        Self {
            calendar: Calendar::before(today, &mut rng),
            rng,
            organizations: Weighted::new(organizations.iter().map(|organization| organization.share)),
            workloads: organizations.iter().map(Workload::of).collect(),
            index: 0,
            previous: None,
        }
    }

    fn run(&mut self, start: Start) -> Run<'a> {
        let day = self.day(start);
        let workload = &self.workloads[self.organizations.pick(&mut self.rng)];
        let (workspace, workbook) = workload.pick(midnight(day), &mut self.rng);
        let runner = workload.runner(workbook, midnight(day), &mut self.rng);
        let organization = workload.organization;
        // The periods have no common divisor, so that in time every special case meets every other.
        let [unknown_workbook, unknown_user] = [self.index % 301 == 17, self.index % 353 == 23];
        let start = self.time(day, start, workbook.scheduled);
        let finished = self.finished(start);
        Run {
            id: new_id("run", &mut self.rng),
            workspace_id: &workspace.id,
            workbook_id: if unknown_workbook { &organization.unknown_workbook_id } else { &workbook.id },
            user_id: if unknown_user { &organization.unknown_user_id } else { &runner.user_id },
            start,
            finished,
            credit_cost: self.credit_cost(finished.is_some()),
        }
    }

    fn day(&mut self, start: Start) -> NaiveDate {
        let day = self.calendar.day(&mut self.rng);
        match start {
            Start::FirstOfMonth => self.calendar.month_boundary(day),
            Start::LastMillisecondOfMonth => self.calendar.month_boundary(day) - Days::new(1),
            Start::Ordinary | Start::Midnight | Start::SameInstant => day,
        }
    }

    fn time(&mut self, day: NaiveDate, start: Start, scheduled: bool) -> DateTime<Utc> {
        match start {
            Start::Midnight | Start::FirstOfMonth => midnight(day),
            Start::LastMillisecondOfMonth => midnight(day + Days::new(1)) - Duration::from_millis(1),
            Start::Ordinary | Start::SameInstant if scheduled => time_by_schedule(day, &mut self.rng),
            Start::Ordinary | Start::SameInstant => self.calendar.time_by_hand(day, &mut self.rng),
        }
    }

    /// Picks when a run finished. Most runs take seconds or minutes. Some of the last two days are still going on, and a
    /// few old ones never finished.
    fn finished(&mut self, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let longest = 1 << self.rng.u32(10..22);
        let finished = start + Duration::from_millis(800 + self.rng.u64(0..longest));
        let recent = start >= self.calendar.end() - Days::new(2);
        let unfinished = self.rng.u32(0..if recent { 12 } else { 1500 }) == 0;
        (finished < self.calendar.end() && !unfinished).then_some(finished)
    }

    /// Picks a cost. One in four unfinished runs has cost something already.
    fn credit_cost(&mut self, finished: bool) -> Option<String> {
        let cost = credit_cost(self.index, &mut self.rng);
        cost.filter(|_| finished || self.rng.u8(0..4) == 0)
    }
}

impl<'a> Iterator for Runs<'a> {
    type Item = Run<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let run = match (Start::of(self.index), self.previous.take()) {
            (Start::SameInstant, Some(previous)) => Run { id: new_id("run", &mut self.rng), ..previous },
            (start, _) => self.run(start),
        };
        self.index += 1;
        self.previous = Some(run.clone());
        Some(run)
    }
}
