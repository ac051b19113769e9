//! Where runs take place: a workspace, one of its workbooks, and who runs it.

use chrono::{DateTime, Utc};
use fastrand::Rng;

use super::{
    organization::{Member, Organization, Workbook, Workspace},
    weighted::Weighted,
};

/// An organization's workspaces and workbooks, and how busy each is.
pub struct Places<'a> {
    pub organization: &'a Organization,
    workspaces: Weighted,
    /// For each workspace, its workbooks.
    workbooks: Vec<Weighted>,
}

impl<'a> Places<'a> {
    /// The places of `organization`.
    pub fn of(organization: &'a Organization) -> Self {
        let personal = organization.workspaces.iter().filter(|workspace| workspace.owner.is_some()).count();
        let shared = organization.workspaces.len() - personal;
        // Personal workspaces make about a sixth of the runs, and the busiest workspace of the first organization
        // a fifth. A partition of the table is a workspace's month: a million runs make it about ten thousand.
        let weights = (2..).take(shared).map(|rank| 100_000 / rank);
        let personal_weights = (2..).take(personal).map(|rank| 15_000 / rank);
        let workbooks = organization.workspaces.iter();
        Self {
            organization,
            workspaces: Weighted::new(weights.chain(personal_weights)),
            workbooks: workbooks.map(|workspace| Weighted::few_get_most(workspace.workbooks.len())).collect(),
        }
    }

    /// A workbook that is there the whole day that begins at `midnight`, and its workspace. The organization's first
    /// workbook always is there.
    pub fn pick(&self, midnight: DateTime<Utc>, rng: &mut Rng) -> (&'a Workspace, &'a Workbook) {
        loop {
            let nth = self.workspaces.pick(rng);
            let workspace = &self.organization.workspaces[nth];
            let workbook = &workspace.workbooks[self.workbooks[nth].pick(rng)];
            if workbook.is_there_on(midnight) {
                return (workspace, workbook);
            }
        }
    }

    /// Who runs `workbook` that day: its author in most cases. The organization's first member always is there.
    pub fn runner(&self, workbook: &Workbook, midnight: DateTime<Utc>, rng: &mut Rng) -> &'a Member {
        let members = &self.organization.members;
        let mut chosen = workbook.author;
        if !workbook.scheduled && rng.u8(0..100) < 40 {
            chosen = rng.usize(0..members.len());
        }
        while !members[chosen].is_there_on(midnight) {
            chosen = rng.usize(0..members.len());
        }
        &members[chosen]
    }
}
