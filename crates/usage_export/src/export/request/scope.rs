//! Which runs an export is about, by workspace and workbook.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Which workspaces and workbooks of the organization are exported. At least one member selects something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Every workspace of the organization, personal ones too.
    pub all_workspaces: bool,
    /// Every workspace that is nobody's own. Not set if `all_workspaces` is, because it includes them.
    #[serde(default)]
    pub organization_workspaces: bool,
    /// Every member's personal workspace.
    pub personal_workspaces: bool,
    /// These workspaces. Empty if `all_workspaces` is set, because it includes them.
    pub workspace_ids: BTreeSet<String>,
    /// Only runs of these workbooks; empty for runs of every workbook.
    pub entity_ids: BTreeSet<String>,
}

impl Scope {
    /// Whether every workspace of the organization is read: because the request asks for all of them, or because it names
    /// workbooks only, and those may have run anywhere.
    ///
    /// ```
    /// use usage_export::export::request::Scope;
    /// let mut scope = Scope {
    ///     all_workspaces: false,
    ///     organization_workspaces: false,
    ///     personal_workspaces: false,
    ///     workspace_ids: [].into(),
    ///     entity_ids: ["wbk_1".to_owned()].into(),
    /// };
    /// assert!(scope.looks_everywhere());
    /// scope.workspace_ids.insert("wsp_1".to_owned());
    /// assert!(!scope.looks_everywhere());
    /// ```
    pub fn looks_everywhere(&self) -> bool {
        let has_kind = self.organization_workspaces || self.personal_workspaces;
        self.all_workspaces || (!has_kind && self.workspace_ids.is_empty())
    }
}

/// The ids that a request names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedIds {
    /// The workspaces of [`Scope::workspace_ids`].
    pub workspace_ids: BTreeSet<String>,
    /// The workbooks of [`Scope::entity_ids`].
    pub entity_ids: BTreeSet<String>,
}

impl NamedIds {
    /// Whether the request names no ids.
    pub fn is_empty(&self) -> bool {
        self.workspace_ids.is_empty() && self.entity_ids.is_empty()
    }
}
