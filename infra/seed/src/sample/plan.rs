//! Plans of the three organizations: how many of everything each of them has.

/// The size and kind of an organization; the generator adds ids and names.
pub struct Plan {
    pub name: &'static str,
    pub tier: &'static str,
    pub domain: &'static str,
    /// Its share of all runs, in per cent.
    pub share: u64,
    pub administrators: usize,
    /// Number of members, administrators and deleted ones included.
    pub members: usize,
    pub deleted_members: usize,
    /// Number of workspaces of the organization itself, deleted ones included. Personal workspaces come on top.
    pub workspaces: usize,
    pub deleted_workspaces: usize,
    pub workbooks: usize,
    /// Whether some of its names are hostile.
    pub hostile: bool,
}

/// The three plans, the busiest organization first.
pub const PLANS: [Plan; 3] = [
    Plan {
        name: "Harbor & Pine Logistics",
        tier: "enterprise",
        domain: "harborpine.example",
        share: 70,
        administrators: 3,
        members: 40,
        deleted_members: 3,
        workspaces: 14,
        deleted_workspaces: 2,
        workbooks: 210,
        hostile: true,
    },
    Plan {
        name: "Kestrel Analytics",
        tier: "enterprise",
        domain: "kestrel.example",
        share: 25,
        administrators: 2,
        members: 12,
        deleted_members: 1,
        workspaces: 6,
        deleted_workspaces: 1,
        workbooks: 75,
        hostile: false,
    },
    Plan {
        name: "Blue Fern Studio",
        tier: "team",
        domain: "bluefern.example",
        share: 5,
        administrators: 1,
        members: 5,
        deleted_members: 0,
        workspaces: 2,
        deleted_workspaces: 0,
        workbooks: 20,
        hostile: false,
    },
];
