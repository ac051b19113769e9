//! What a survey knows of one workspace.

use crate::preview::population::SurveyedWorkspace;
use crate::preview::visit::Visit;

/// What the visits to a workspace have found.
#[derive(Clone, Copy, Default)]
pub struct Sum {
    /// How many there are.
    pub visits: f64,
    /// The sum of their weights.
    pub weight: f64,
    /// Rows of the visited months, probably.
    rows: f64,
    /// How much time these months have.
    pub time: f64,
    /// Rows in a millisecond, each visit as often as its weight.
    weighted_rate: f64,
}

impl Sum {
    /// Adds a visit.
    pub fn add(&mut self, visit: &Visit) {
        let (rows, time) = (visit.rows(), visit.time());
        self.visits += 1.0;
        self.weight += visit.weight;
        self.rows += rows;
        self.time += time;
        self.weighted_rate += visit.weight * rows / time;
    }

    /// How many rows the whole workspace has, probably; 0 if it is not visited. `mean_weight` is that of all visits: the weights
    /// of a few visits would say nothing.
    pub fn rows_in(&self, workspace: &SurveyedWorkspace, mean_weight: f64) -> f64 {
        if self.visits == 0.0 {
            return 0.0;
        }
        let weight = if self.visits < 4.0 { mean_weight * self.visits } else { self.weight };
        self.rows + (workspace.time - self.time).max(0.0) * self.weighted_rate / weight
    }
}
