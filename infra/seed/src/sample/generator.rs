//! Makes an organization from its plan.

use std::time::Duration;

use chrono::{DateTime, Utc};
use fastrand::Rng;

use super::organization::{Member, Organization, Workbook, Workspace};
use super::plan::Plan;
use super::weighted::Weighted;
use super::{names, new_id};

const DAY: Duration = Duration::from_hours(24);

/// Makes one organization.
pub struct Generator<'a> {
    plan: &'a Plan,
    today: DateTime<Utc>,
    rng: &'a mut Rng,
    /// Where this organization begins in the lists of names, so that organizations have different names.
    first_name: usize,
}

impl<'a> Generator<'a> {
    /// Prepares to make the organization that `plan` outlines, as it stands when `today` begins.
    pub fn new(plan: &'a Plan, today: DateTime<Utc>, rng: &'a mut Rng) -> Self {
        let first_name = rng.usize(0..1000);
        Self { plan, today, rng, first_name }
    }

    /// Makes the organization.
    pub fn organization(mut self) -> Organization {
        let members: Vec<_> = (0..self.plan.members).map(|nth| self.member(nth)).collect();
        let mut workspaces: Vec<_> =
            (0..self.plan.workspaces).map(|nth| self.organization_workspace(nth)).collect();
        workspaces
            .extend(members.iter().enumerate().map(|(nth, member)| self.personal_workspace(nth, member)));
        self.fill_with_workbooks(&mut workspaces);
        Organization {
            id: new_id("org", self.rng),
            name: self.plan.name,
            tier: self.plan.tier,
            share: self.plan.share,
            members,
            workspaces,
            unknown_workbook_id: new_id("wbk", self.rng),
            unknown_user_id: new_id("usr", self.rng),
        }
    }

    fn member(&mut self, nth: usize) -> Member {
        let (first, last) = names::person(self.first_name + nth);
        let local_part = match names::hostile_local_part(nth) {
            Some(hostile) if self.plan.hostile => hostile.to_owned(),
            _ => format!("{first}.{last}").to_lowercase(),
        };
        let deleted = nth + self.plan.deleted_members >= self.plan.members;
        Member {
            user_id: new_id("usr", self.rng),
            email: format!("{local_part}@{}", self.plan.domain),
            administrator: nth < self.plan.administrators,
            personal_workspace_id: new_id("wsp", self.rng),
            deleted: deleted.then(|| self.days_ago(20, 400)),
        }
    }

    fn organization_workspace(&mut self, nth: usize) -> Workspace {
        let deleted = nth + self.plan.deleted_workspaces >= self.plan.workspaces;
        Workspace {
            id: new_id("wsp", self.rng),
            name: self.workspace_name(nth, names::ORGANIZATION_WORKSPACES[nth]),
            owner: None,
            deleted: deleted.then(|| self.days_ago(20, 400)),
            workbooks: Vec::new(),
        }
    }

    /// The workspace of a member. It is deleted when the member is.
    fn personal_workspace(&self, nth: usize, member: &Member) -> Workspace {
        let (first, last) = names::person(self.first_name + nth);
        Workspace {
            id: member.personal_workspace_id.clone(),
            name: self.workspace_name(self.plan.workspaces + nth, &format!("{first} {last}'s workspace")),
            owner: Some(nth),
            deleted: member.deleted,
            workbooks: Vec::new(),
        }
    }

    fn workspace_name(&self, nth: usize, believable: &str) -> String {
        let hostile = names::hostile_workspace(nth).filter(|_| self.plan.hostile);
        hostile.unwrap_or(believable).to_owned()
    }

    /// Gives every workspace one workbook, and most of the others to the busy workspaces of the organization.
    fn fill_with_workbooks(&mut self, workspaces: &mut [Workspace]) {
        let busy_workspaces = Weighted::few_get_most(self.plan.workspaces);
        for nth in 0..self.plan.workbooks {
            let chosen = if nth < workspaces.len() { nth } else { busy_workspaces.pick(self.rng) };
            let workbook = self.workbook(nth, &workspaces[chosen]);
            workspaces[chosen].workbooks.push(workbook);
        }
    }

    fn workbook(&mut self, nth: usize, workspace: &Workspace) -> Workbook {
        let hostile = names::hostile_workbook(nth).filter(|_| self.plan.hostile);
        let last_day = workspace.deleted.unwrap_or(self.today);
        let deleted = nth % 15 == 11;
        Workbook {
            id: new_id("wbk", self.rng),
            name: hostile.map_or_else(|| names::workbook(self.first_name + nth), str::to_owned),
            author: workspace.owner.unwrap_or_else(|| self.author()),
            scheduled: self.rng.u8(0..100) < 30,
            // The first workbook is older than all runs and is never deleted, so that every day has a workbook to run.
            created: if nth == 0 { self.today - 1500 * DAY } else { last_day - self.days(60, 1200) },
            deleted: workspace.deleted.or_else(|| deleted.then(|| self.days_ago(5, 50))),
        }
    }

    /// Picks an author: few members make most workbooks, and administrators make few.
    fn author(&mut self) -> usize {
        let ranked = Weighted::few_get_most(self.plan.members).pick(self.rng);
        (ranked + self.plan.administrators) % self.plan.members
    }

    fn days_ago(&mut self, least: u32, most: u32) -> DateTime<Utc> {
        self.today - self.days(least, most)
    }

    /// Picks a length of time between `least` and `most` days, to the millisecond.
    fn days(&mut self, least: u32, most: u32) -> Duration {
        (least * DAY) + self.rng.u32(0..(most - least) * 24 * 60) * Duration::from_millis(59_983)
    }
}
