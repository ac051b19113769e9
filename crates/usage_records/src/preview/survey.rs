//! Counts rows by a bounded number of small `Query` calls: all of them if they are few, else a sample.
//!
//! A call either visits a partition that was not looked at before, from its beginning on, or reads another excerpt of one that
//! was. What is estimated to add most to the uncertainty of the sum comes next: a workspace nobody has looked at, or a busy month of
//! which a few minutes are known. The order is random, and the same for the same seed.

use std::ops::Range;

use chrono::{DateTime, Utc};
use fastrand::Rng;
use futures::future::try_join_all;

use crate::page::ReadError;
use crate::partition::Partition;
use crate::plan::Plan;
use crate::preview::population::{GOLDEN, Population};
use crate::preview::sum::Sum;
use crate::preview::visit::{Ask, Counts, Visit};

/// How many calls of `Query` a survey makes at most.
pub const MAX_CALLS: usize = 40;

/// How many of them are in flight at once.
pub const MAX_IN_FLIGHT: usize = 8;

/// The answer to one call.
#[derive(Debug)]
pub struct Answer<P> {
    /// What was read.
    pub counts: Counts,
    /// When the last run that was read started, and its sort key, if there are more in the time that was asked for.
    pub ended: Option<(i64, String)>,
    /// Anything that is wanted of it at the end.
    pub page: P,
}

/// What a survey found.
#[derive(Debug)]
pub struct Found<P> {
    /// How many rows there are, probably.
    pub rows: u64,
    /// Whether there are exactly so many: everything was read.
    pub is_exact: bool,
    /// Whether there are workspaces of which nothing was read.
    pub is_rough: bool,
    /// The answers, in the order of the calls.
    pub pages: Vec<P>,
}

/// Counts the rows of a plan. `ask` reads up to [`MAX_RECORDS`](super::visit::MAX_RECORDS) records of a partition, of the runs that
/// started in a range of milliseconds.
///
/// # Errors
///
/// Those of `ask`, the first one.
pub async fn survey<P, A: Future<Output = Result<Answer<P>, ReadError>>>(
    plan: &Plan,
    now: DateTime<Utc>,
    seed: u64,
    ask: impl Fn(Partition, Range<i64>) -> A,
) -> Result<Found<P>, ReadError> {
    let mut survey = Survey::new(plan, now, seed);
    let mut pages = Vec::new();
    while pages.len() < MAX_CALLS {
        let calls = survey.next_calls(MAX_CALLS - pages.len());
        if calls.is_empty() {
            break;
        }
        let asked = calls.iter().map(|(visit, call)| {
            let partition =
                Partition { after: call.after.clone(), ..survey.visits[*visit].partition.clone() };
            ask(partition, call.time.clone())
        });
        let answers = try_join_all(asked).await?;
        for ((visit, call), Answer { counts, ended, page }) in calls.into_iter().zip(answers) {
            survey.visits[visit].answered(call.excerpt, counts, ended);
            pages.push(page);
        }
    }
    Ok(Found {
        rows: survey.rows(),
        is_exact: survey.is_complete(),
        is_rough: survey.population.has_unvisited_workspaces(),
        pages,
    })
}

struct Survey<'a> {
    population: Population<'a>,
    rng: Rng,
    visits: Vec<Visit>,
    /// The phase of the week at which the next excerpt begins, from 0 to 1.
    phase: f64,
}

impl<'a> Survey<'a> {
    fn new(plan: &'a Plan, now: DateTime<Utc>, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let population = Population::new(plan, now, &mut rng);
        Self { population, phase: rng.f64(), rng, visits: Vec::new() }
    }

    /// What is asked for next: visits by their number, and the time.
    fn next_calls(&mut self, left: usize) -> Vec<(usize, Ask)> {
        let mut calls = Vec::new();
        while calls.len() < left.min(MAX_IN_FLIGHT)
            && let Some(call) = self.next_call(left - calls.len())
        {
            calls.push(call);
        }
        calls
    }

    fn next_call(&mut self, left: usize) -> Option<(usize, Ask)> {
        #[expect(clippy::cast_precision_loss, reason = "40 at most")]
        if self.calls_to_finish() <= left as f64 {
            return self.visit_any().or_else(|| self.finish_any());
        }
        // What is visited last would be known by its beginning only.
        let may_visit = self.population.left > 0 && left > MAX_IN_FLIGHT;
        match self.busiest() {
            Some((number, value)) if !may_visit || value > self.value_of_visit() => self.look_into(number),
            _ => self.visit_any(),
        }
    }

    /// Visits another partition.
    fn visit_any(&mut self) -> Option<(usize, Ask)> {
        let visit = self.population.visit()?;
        self.begin(visit)
    }

    /// Reads a partition from its beginning on.
    fn begin(&mut self, mut visit: Visit) -> Option<(usize, Ask)> {
        let gap = visit.gaps().into_iter().next()?;
        let call = visit.ask_for(gap);
        self.visits.push(visit);
        Some((self.visits.len() - 1, call))
    }

    /// Reads on where a partition is not read.
    fn finish_any(&mut self) -> Option<(usize, Ask)> {
        let mut visits = self.visits.iter_mut().enumerate();
        visits.find_map(|(number, visit)| {
            let gap = visit.gaps().into_iter().next()?;
            Some((number, visit.ask_for(gap)))
        })
    }

    /// Reads a partition at a random time.
    fn look_into(&mut self, number: usize) -> Option<(usize, Ask)> {
        self.phase = (self.phase + GOLDEN).fract();
        Some((number, self.visits[number].ask_at(self.phase, self.rng.f64())?))
    }

    /// How many calls would read everything, probably.
    fn calls_to_finish(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "some millions")]
        let unvisited = self.population.left as f64;
        unvisited + self.visits.iter().map(Visit::calls_left).sum::<f64>()
    }

    /// How uncertain the sum is because of the partitions that are not visited, for each that is.
    fn value_of_visit(&self) -> f64 {
        let all: f64 = self.population.workspaces.iter().map(|workspace| workspace.time).sum();
        let visited: f64 = self.visits.iter().map(Visit::time).sum();
        #[expect(clippy::cast_precision_loss, reason = "40 at most")]
        let visits = self.visits.len().max(1) as f64;
        self.estimate() / visits * (1.0 - visited / all).max(0.0)
    }

    /// The visit whose gaps make the sum most uncertain, and by how much.
    fn busiest(&self) -> Option<(usize, f64)> {
        let (sums, elsewhere) = self.sums();
        let visits = self.visits.iter().enumerate();
        let visits = visits.filter(|(_, visit)| !visit.is_unknown() && visit.has_gaps_before_now());
        let values = visits.map(|(number, visit)| {
            if visit.is_hardly_known() {
                return (number, f64::INFINITY);
            }
            let of_workspace = self.population.workspaces[visit.workspace].time / sums[visit.workspace].time;
            (number, visit.unknown_rows() * visit.uncertainty() * of_workspace.max(1.0) * elsewhere)
        });
        values.max_by(|(_, one), (_, other)| one.total_cmp(other))
    }

    /// For each workspace what its visits have, and by how much the sum of all workspaces is more than that of the visited.
    fn sums(&self) -> (Vec<Sum>, f64) {
        let mut sums = vec![Sum::default(); self.population.workspaces.len()];
        for visit in self.visits.iter().filter(|visit| !visit.is_unknown()) {
            sums[visit.workspace].add(visit);
        }
        let (mut all, mut visited) = (0.0, 0.0);
        for (workspace, sum) in self.population.workspaces.iter().zip(&sums) {
            all += workspace.time;
            visited += if sum.time > 0.0 { workspace.time } else { 0.0 };
        }
        (sums, if visited > 0.0 { all / visited } else { 1.0 })
    }

    fn estimate(&self) -> f64 {
        let (sums, elsewhere) = self.sums();
        let (visits, weight) =
            sums.iter().fold((0.0, 0.0), |(visits, weight), sum| (visits + sum.visits, weight + sum.weight));
        let of_workspaces = self.population.workspaces.iter().zip(&sums);
        let of_workspaces = of_workspaces.map(|(workspace, sum)| sum.rows_in(workspace, weight / visits));
        of_workspaces.sum::<f64>() * elsewhere
    }

    fn is_complete(&self) -> bool {
        self.population.left == 0 && self.visits.iter().all(|visit| visit.gaps().is_empty())
    }

    fn rows(&self) -> u64 {
        let known: u64 = self.visits.iter().map(Visit::known_rows).sum();
        if self.is_complete() {
            return known;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it saturates, and is positive"
        )]
        let estimate = self.estimate().round() as u64;
        estimate.max(known)
    }
}

#[cfg(test)]
mod tests;
