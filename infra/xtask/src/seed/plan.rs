//! The three organizations in outline.

/// An organization before it has ids.
pub struct Plan {
    pub name: &'static str,
    pub tier: &'static str,
    pub domain: &'static str,
    /// Its share of all runs, in per cent.
    pub share: u64,
    pub administrators: usize,
    /// With the administrators and the deleted.
    pub members: usize,
    pub deleted_members: usize,
    /// Of the organization itself, with the deleted; the personal ones come on top.
    pub workspaces: usize,
    pub deleted_workspaces: usize,
    pub workbooks: usize,
    /// Whether its names are hostile here and there.
    pub hostile: bool,
}

/// The busiest first.
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
