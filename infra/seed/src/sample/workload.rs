//! Where an organization's runs happen: which workspace, which workbook, and who runs it.

use chrono::{DateTime, Utc};
use fastrand::Rng;

use super::organization::{Member, Organization, Workbook, Workspace};
use super::weighted::Weighted;

/// How an organization's runs are spread over its workspaces and workbooks.
pub struct Workload<'a> {
    pub organization: &'a Organization,
    workspaces: Weighted,
    /// For each workspace, how its runs are spread over its workbooks.
    workbooks: Vec<Weighted>,
}

impl<'a> Workload<'a> {
    /// Spreads the runs of `organization`.
    pub fn of(organization: &'a Organization) -> Self {
        let personal = organization.workspaces.iter().filter(|workspace| workspace.owner.is_some()).count();
        let shared = organization.workspaces.len() - personal;
        // Personal workspaces make about a sixth of the runs, and the busiest workspace of the first organization
        // a fifth. A partition of the table is a workspace's month: of a million runs, the largest has about 10,000.
        let weights = (2..).take(shared).map(|rank| 100_000 / rank);
        let personal_weights = (2..).take(personal).map(|rank| 15_000 / rank);
        let workbooks = organization.workspaces.iter();
        Self {
            organization,
            workspaces: Weighted::new(weights.chain(personal_weights)),
            workbooks: workbooks.map(|workspace| Weighted::few_get_most(workspace.workbooks.len())).collect(),
        }
    }

    /// Picks a workbook that exists for the whole day that begins at `midnight`, and its workspace. Ends because the
    /// organization's first workbook exists every day.
    pub fn pick(&self, midnight: DateTime<Utc>, rng: &mut Rng) -> (&'a Workspace, &'a Workbook) {
        loop {
            let nth = self.workspaces.pick(rng);
            let workspace = &self.organization.workspaces[nth];
            let workbook = &workspace.workbooks[self.workbooks[nth].pick(rng)];
            if workbook.exists_on(midnight) {
                return (workspace, workbook);
            }
        }
    }

    /// Picks who runs `workbook` that day: its author in most cases. Ends because the organization's first member
    /// exists every day.
    pub fn runner(&self, workbook: &Workbook, midnight: DateTime<Utc>, rng: &mut Rng) -> &'a Member {
        let members = &self.organization.members;
        let mut chosen = workbook.author;
        if !workbook.scheduled && rng.u8(0..100) < 40 {
            chosen = rng.usize(0..members.len());
        }
        while !members[chosen].exists_on(midnight) {
            chosen = rng.usize(0..members.len());
        }
        &members[chosen]
    }
}
