//! What a survey is about: the workspaces of a plan and their months, which are not listed, because there may be millions.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use fastrand::Rng;
use usage_export::usage::Month;

use crate::plan::Plan;
use crate::preview::ages;
use crate::preview::millis::length;
use crate::preview::visit::Visit;

/// The golden ratio's part behind the point. Its multiples, without what is before the point, are spread evenly however many
/// there are. <https://en.wikipedia.org/wiki/Low-discrepancy_sequence#Additive_recurrence>
pub const GOLDEN: f64 = 0.618_033_988_749_895;

/// The partitions of a plan, in a random order.
#[derive(Debug)]
pub struct Population<'a> {
    plan: &'a Plan,
    now: DateTime<Utc>,
    /// The workspaces that have partitions.
    pub workspaces: Vec<SurveyedWorkspace>,
    /// Where in the months of its workspace the last visit was, from 0 to 1.
    position: f64,
    /// Whether the last visit was to a month of any age, or rather to a recent one.
    is_any_age: bool,
    /// Workspaces, and ages of months.
    visited: HashSet<(usize, u32)>,
    /// The workspace of the next visit.
    next: usize,
    /// How many partitions are not visited yet.
    pub left: u64,
}

/// A workspace.
#[derive(Debug)]
pub struct SurveyedWorkspace {
    /// Its place in the plan.
    place: usize,
    first_month: Month,
    months: u32,
    /// The time until now in which its runs can have started, in milliseconds.
    pub time: f64,
    /// How many of its months are visited.
    visits: u32,
}

impl<'a> Population<'a> {
    /// Nothing is visited yet.
    pub fn new(plan: &'a Plan, now: DateTime<Utc>, rng: &mut Rng) -> Self {
        let mut workspaces: Vec<_> = (0..plan.workspace_count())
            .filter_map(|place| SurveyedWorkspace::new(plan, place, now))
            .collect();
        rng.shuffle(&mut workspaces);
        let left = workspaces.iter().map(|workspace| u64::from(workspace.months)).sum();
        Self {
            plan,
            now,
            workspaces,
            position: rng.f64(),
            is_any_age: rng.bool(),
            visited: HashSet::new(),
            next: 0,
            left,
        }
    }

    /// Visits another partition: of the next workspace, which is each of them before one comes again. Their months are spread
    /// as `ages` says. `None` after the last one.
    pub fn visit(&mut self) -> Option<Visit> {
        if self.left == 0 {
            return None;
        }
        let number = loop {
            let number = self.next % self.workspaces.len();
            self.next += 1;
            if self.workspaces[number].visits < self.workspaces[number].months {
                break number;
            }
        };
        self.position = (self.position + GOLDEN).fract();
        self.is_any_age = !self.is_any_age;
        let workspace = &mut self.workspaces[number];
        let mut age = ages::pick(workspace.months, self.position, self.is_any_age);
        while !self.visited.insert((number, age)) {
            age = (age + 1) % workspace.months;
        }
        workspace.visits += 1;
        self.left -= 1;
        let month = workspace.first_month.plus(workspace.months - 1 - age);
        let partition = self.plan.partition_at(workspace.place, month)?;
        Some(Visit::new(number, partition, ages::weight(workspace.months, age), self.now))
    }

    /// Whether there are workspaces without a visit.
    pub fn has_unvisited_workspaces(&self) -> bool {
        self.next < self.workspaces.len()
    }
}

impl SurveyedWorkspace {
    fn new(plan: &Plan, place: usize, now: DateTime<Utc>) -> Option<Self> {
        let (first_month, months) = plan.months_at(place)?;
        let first = plan.partition_at(place, first_month)?.time.first();
        let last = plan.partition_at(place, first_month.plus(months.get() - 1))?.time.last();
        let time =
            first.timestamp_millis()..last.min(now).timestamp_millis().max(first.timestamp_millis()) + 1;
        Some(Self { place, first_month, months: months.get(), time: length(&time), visits: 0 })
    }
}
