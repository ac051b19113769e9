//! What the record of an export keeps of its request.
//!
//! A request may name thousands of ids. The record is written anew with every renewal of a lease and is copied into the index of
//! the history, so it has only their number; the ids are in an item of their own
//! ([`store::request`](crate::export::store::request)).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ExportRequest, NamedIds, Scope};
use crate::export::interval::Interval;
use crate::usage::Field;

/// A request without the ids that it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSummary {
    /// The columns of the CSV in their order.
    pub fields: Vec<Field>,
    /// Which runs are exported, by the instant at which they started.
    pub interval: Interval,
    /// Which runs are exported, by workspace and workbook.
    pub scope: ScopeSummary,
    /// As [`ExportRequest::time_zone`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// As [`ExportRequest::name`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl From<ExportRequest> for RequestSummary {
    fn from(request: ExportRequest) -> Self {
        let ExportRequest { fields, interval, scope, time_zone, name } = request;
        Self { fields, interval, scope: scope.into(), time_zone, name }
    }
}

/// A [`Scope`] with the number of ids instead of the ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredScope")]
pub struct ScopeSummary {
    /// Every workspace of the organization, personal ones too.
    pub all_workspaces: bool,
    /// Every workspace that is nobody's own.
    pub organization_workspaces: bool,
    /// Every member's personal workspace.
    pub personal_workspaces: bool,
    /// How many workspaces are named.
    pub workspace_count: usize,
    /// Of how many workbooks runs are exported; 0 for runs of every workbook.
    pub workbook_count: usize,
    /// The ids, if they are known without a read of their item: the export is new, or its record was written by a version that kept
    /// them there, or there are none.
    #[serde(skip)]
    pub(crate) ids: Option<NamedIds>,
}

impl ScopeSummary {
    /// As [`Scope::looks_everywhere`].
    pub fn looks_everywhere(&self) -> bool {
        let has_kind = self.organization_workspaces || self.personal_workspaces;
        self.all_workspaces || (!has_kind && self.workspace_count == 0)
    }

    /// Whether these can be the ids that the request names.
    #[cfg(feature = "aws")]
    pub(crate) fn counts(&self, ids: &NamedIds) -> bool {
        (self.workspace_count, self.workbook_count) == (ids.workspace_ids.len(), ids.entity_ids.len())
    }
}

impl From<Scope> for ScopeSummary {
    fn from(scope: Scope) -> Self {
        let Scope { all_workspaces, organization_workspaces, personal_workspaces, workspace_ids, entity_ids } =
            scope;
        Self {
            all_workspaces,
            organization_workspaces,
            personal_workspaces,
            workspace_count: workspace_ids.len(),
            workbook_count: entity_ids.len(),
            ids: Some(NamedIds { workspace_ids, entity_ids }),
        }
    }
}

/// A scope as a record has it: with the numbers, or as an earlier version wrote it, with the ids.
#[derive(Deserialize)]
struct StoredScope {
    all_workspaces: bool,
    #[serde(default)]
    organization_workspaces: bool,
    personal_workspaces: bool,
    workspace_count: Option<usize>,
    workbook_count: Option<usize>,
    workspace_ids: Option<BTreeSet<String>>,
    entity_ids: Option<BTreeSet<String>>,
}

impl TryFrom<StoredScope> for ScopeSummary {
    type Error = &'static str;

    fn try_from(stored: StoredScope) -> Result<Self, Self::Error> {
        let StoredScope { all_workspaces, organization_workspaces, personal_workspaces, .. } = stored;
        let numbers = stored.workspace_count.zip(stored.workbook_count);
        match (numbers, stored.workspace_ids.zip(stored.entity_ids)) {
            (Some((workspace_count, workbook_count)), _) => {
                let ids = (workspace_count == 0 && workbook_count == 0).then(NamedIds::default);
                Ok(Self {
                    all_workspaces,
                    organization_workspaces,
                    personal_workspaces,
                    workspace_count,
                    workbook_count,
                    ids,
                })
            }
            (None, Some((workspace_ids, entity_ids))) => {
                let scope = Scope {
                    all_workspaces,
                    organization_workspaces,
                    personal_workspaces,
                    workspace_ids,
                    entity_ids,
                };
                Ok(scope.into())
            }
            // A scope that names nothing exports everything, so nothing is guessed here.
            (None, None) => Err("a scope has neither ids nor their number"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(scope: Value) -> Result<ScopeSummary, serde_json::Error> {
        serde_json::from_value(scope)
    }

    #[test]
    fn a_record_has_the_number_of_ids_and_not_the_ids() {
        let scope = Scope {
            all_workspaces: false,
            organization_workspaces: false,
            personal_workspaces: true,
            workspace_ids: ["wsp_1".to_owned(), "wsp_2".to_owned()].into(),
            entity_ids: ["wbk_1".to_owned()].into(),
        };
        let summary = ScopeSummary::from(scope);
        let stored = json!({
            "all_workspaces": false, "organization_workspaces": false, "personal_workspaces": true,
            "workspace_count": 2, "workbook_count": 1,
        });
        assert_eq!(serde_json::to_value(&summary).unwrap(), stored);
        assert_eq!(read(stored).unwrap(), ScopeSummary { ids: None, ..summary });
    }

    #[test]
    fn a_scope_without_ids_is_read_as_it_was_written() {
        let scope = Scope {
            all_workspaces: true,
            organization_workspaces: false,
            personal_workspaces: true,
            workspace_ids: [].into(),
            entity_ids: [].into(),
        };
        let summary = ScopeSummary::from(scope);
        assert_eq!(read(serde_json::to_value(&summary).unwrap()).unwrap(), summary);
    }

    #[test]
    fn a_record_of_an_earlier_version_has_its_ids() {
        let mut stored = json!({
            "all_workspaces": false, "personal_workspaces": false, "workspace_ids": ["wsp_1"], "entity_ids": [],
        });
        let summary = read(stored.clone()).unwrap();
        assert_eq!((summary.workspace_count, summary.workbook_count), (1, 0));
        assert!(!summary.looks_everywhere());
        assert_eq!(summary.ids.unwrap().workspace_ids, ["wsp_1".to_owned()].into());

        stored.as_object_mut().unwrap().remove("workspace_ids");
        read(stored).unwrap_err();
        read(json!({"all_workspaces": false, "personal_workspaces": false, "workspace_count": 1}))
            .unwrap_err();
    }
}
