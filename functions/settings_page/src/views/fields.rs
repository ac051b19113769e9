//! Step 3 of the form: the fields in their groups. `usage_export::usage::FIELDS` says which fields there are, what they
//! are called, and in which group and order they are shown.

use std::collections::BTreeSet;

use usage_export::usage::{FIELDS, Field, FieldInfo, Group};

/// A group of fields.
#[derive(Debug)]
pub struct FieldGroup {
    /// Makes the ids of the group's elements unique: `workbook`.
    pub id: String,
    /// Heading of the group: `Workbook`.
    pub label: &'static str,
    /// The fields, in the order of the columns.
    pub fields: Vec<FieldOption>,
}

/// A field in its group.
#[derive(Debug)]
pub struct FieldOption {
    /// Its id in `export_fields`.
    pub id: &'static str,
    /// Its name below the heading of the group: `Name` for `Workspace name`.
    pub label: String,
    /// Whether it is selected.
    pub checked: bool,
}

/// A selection that one press of a button makes.
#[derive(Debug)]
pub struct FieldPreset {
    /// Text of the button.
    pub label: &'static str,
    fields: &'static [Field],
}

/// The presets besides "All".
pub const FIELD_PRESETS: [FieldPreset; 2] = [
    FieldPreset {
        label: "IDs and timestamps",
        fields: &[
            Field::WorkspaceId,
            Field::WorkbookId,
            Field::WorkbookCreatedTs,
            Field::UserId,
            Field::RunId,
            Field::PlRunCreatedTs,
            Field::PlRunFinishedTs,
        ],
    },
    FieldPreset {
        label: "Billing",
        fields: &[
            Field::WorkspaceId,
            Field::WorkspaceName,
            Field::UserEmail,
            Field::RunId,
            Field::CreditCost,
            Field::PlRunCreatedTs,
        ],
    },
];

impl FieldGroup {
    /// Every group with every field; those whose ids are in `selected` are checked.
    pub fn all(selected: &BTreeSet<String>) -> Vec<Self> {
        let option = |info: &FieldInfo| FieldOption {
            id: info.id,
            label: short(info.label, group_label(info.group)),
            checked: selected.contains(info.id),
        };
        FIELDS
            .chunk_by(|info, next| info.group == next.group)
            .map(|infos| {
                let label = group_label(infos[0].group);
                Self { id: label.to_lowercase(), label, fields: infos.iter().map(option).collect() }
            })
            .collect()
    }
}

impl FieldPreset {
    /// The ids of its fields, separated by spaces.
    pub fn ids(&self) -> String {
        self.fields.iter().map(|field| field.id()).collect::<Vec<_>>().join(" ")
    }
}

/// The label of a field without the name of its group, which is its heading.
fn short(label: &str, group: &str) -> String {
    let rest = label.strip_prefix(group).map_or(label, str::trim_start);
    let mut chars = rest.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn group_label(group: Group) -> &'static str {
    match group {
        Group::Workspace => "Workspace",
        Group::Workbook => "Workbook",
        Group::User => "User",
        Group::Run => "Run",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_does_not_repeat_its_heading() {
        let groups = FieldGroup::all(&BTreeSet::new());
        let labels = groups.iter().flat_map(|group| group.fields.iter().map(|field| field.label.as_str()));
        assert_eq!(
            labels.collect::<Vec<_>>(),
            [
                "ID",
                "Name",
                "ID",
                "Name",
                "Created",
                "ID",
                "Email",
                "ID",
                "Credit cost",
                "Started",
                "Finished"
            ]
        );
    }

    #[test]
    fn each_group_is_shown_once_and_each_field_in_the_order_of_the_columns() {
        let groups = FieldGroup::all(&BTreeSet::from(["run_id".to_owned()]));
        let ids: Vec<_> = groups.iter().map(|group| group.id.as_str()).collect();
        assert_eq!(ids, ["workspace", "workbook", "user", "run"]);
        let fields: Vec<_> = groups.iter().flat_map(|group| &group.fields).collect();
        assert!(fields.iter().map(|field| field.id).eq(FIELDS.iter().map(|info| info.id)));
        let checked: Vec<_> = fields.iter().filter(|field| field.checked).map(|field| field.id).collect();
        assert_eq!(checked, ["run_id"]);
    }
}
