//! What requests look like, for the API document. [`ExportCall`](super::ExportCall) and its like parse them: by hand, because they
//! name every fault at once. A test of the document makes sure that schema and parser agree.

use schemars::{JsonSchema, Schema, json_schema};

use super::{MAX_ID_BYTES, MAX_IDS};
use crate::schema;
use crate::usage::{FIELDS, Field};

/// What to export. At least one of the last five members must select something. Unknown members are ignored; where `null` is allowed,
/// it is the same as an absent member.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "ExportRequest", transform = selects_something)]
#[expect(dead_code, reason = "a schema is made of it, and no value")]
pub struct ExportBody {
    #[schemars(with = "schema::UserId")]
    user_id: (),
    /// The columns of the CSV, in this order.
    #[schemars(with = "Vec<Field>", length(min = 1, max = FIELDS.len()), extend("uniqueItems" = true))]
    export_fields: (),
    #[schemars(with = "schema::StartDate")]
    start_date: (),
    #[schemars(with = "schema::EndDate")]
    end_date: (),
    /// Every workspace. It also sets `include_personal_workspaces`, and `workspace_ids` is then ignored.
    include_all_workspaces: Option<bool>,
    /// Every workspace that is nobody's own, deleted ones too. With `include_personal_workspaces`, all there are now.
    include_organization_workspaces: Option<bool>,
    /// Every member's personal workspace.
    include_personal_workspaces: Option<bool>,
    /// These workspaces.
    #[schemars(with = "Option<Vec<ListedId>>", length(max = MAX_IDS))]
    workspace_ids: (),
    /// Workbooks: only their runs. Alone, they are looked for in every workspace.
    #[schemars(with = "Option<Vec<ListedId>>", length(max = MAX_IDS))]
    entity_ids: (),
}

// One of many ids; a comment for rustdoc would be its description.
#[derive(Debug, JsonSchema)]
#[schemars(inline, transparent)]
#[expect(dead_code, reason = "a schema is made of it, and no value")]
struct ListedId(#[schemars(length(min = 1, max = MAX_ID_BYTES))] String);

/// Adds that a member must select something.
fn selects_something(schema: &mut Schema) {
    let flags = ["include_all_workspaces", "include_organization_workspaces", "include_personal_workspaces"]
        .map(|name| (name, json_schema!({ "const": true })));
    let lists =
        ["workspace_ids", "entity_ids"].map(|name| (name, json_schema!({ "type": "array", "minItems": 1 })));
    let ways = flags.into_iter().chain(lists).map(|(name, value)| {
        let mut properties = serde_json::Map::new();
        properties.insert(name.to_owned(), value.into());
        json_schema!({ "properties": properties, "required": [name] }).into()
    });
    schema.insert("anyOf".to_owned(), ways.collect::<Vec<serde_json::Value>>().into());
}

/// Which export to cancel.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "CancelRequest")]
#[expect(dead_code, reason = "a schema is made of it, and no value")]
pub struct CancelBody {
    #[schemars(with = "schema::UserId")]
    user_id: (),
    #[schemars(with = "schema::Id")]
    data_export_id: (),
}

/// The parameters of `GET /export_status`.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "a schema is made of it, and no value")]
pub struct StatusParameters {
    #[schemars(with = "schema::UserId")]
    user_id: (),
    /// The export.
    #[schemars(with = "schema::Id")]
    data_export_id: (),
    /// With `true`, a COMPLETED export is answered with its file. In any other state it changes nothing.
    #[serde(default)]
    download: bool,
    /// With `true`, a COMPLETED export is answered with the manifest of its file. In any other state it changes nothing. Not together
    /// with `download`.
    #[serde(default)]
    manifest: bool,
}

/// The parameters of `GET /exports`.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "a schema is made of it, and no value")]
pub struct HistoryParameters {
    #[schemars(with = "schema::UserId")]
    user_id: (),
    /// `next_cursor` of the page before. Without it, the first page.
    #[serde(default)]
    #[schemars(with = "schema::ExportId")]
    cursor: (),
    /// With `true`, only exports that the caller asked for.
    #[serde(default)]
    mine: bool,
}

/// The parameters of `GET /audit`.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "a schema is made of it, and no value")]
pub struct AuditParameters {
    #[schemars(with = "schema::UserId")]
    user_id: (),
    /// Only events from then on. Together with `end_date`.
    #[serde(default)]
    #[schemars(with = "schema::StartDate")]
    start_date: (),
    /// Only events until then. A bare date includes that whole day.
    #[serde(default)]
    #[schemars(with = "schema::EndDate")]
    end_date: (),
    /// Only events of this export. Not together with dates.
    #[serde(default)]
    #[schemars(with = "schema::Id")]
    data_export_id: (),
    /// `next_cursor` of the page before. Without it, the first page.
    #[serde(default)]
    #[schemars(with = "schema::EventCursor")]
    cursor: (),
    /// With `true`, all events from `start_date` to `end_date` as CSV, the oldest first, with who did each.
    #[serde(default)]
    download: bool,
}
