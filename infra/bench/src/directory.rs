//! Who and what the runs belong to: written to the emulator's table, where every worker looks names up.

use std::collections::HashMap;

use anyhow::{Context, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use fastrand::Rng;

use crate::data::{Run, WORKSPACES};

/// The organization of the export.
pub const ORGANIZATION: &str = "org_bench";
const WORKBOOKS_IN_WORKSPACE: usize = 50;
const USERS: usize = 200;
const CREATED: &str = "2014-06-30T08:15:00.000Z";
/// Names that need quotes, names that a spreadsheet would run, and names that need nothing.
const NAMES: [&str; 6] = ["Revenue", "Sales, EU", "The \"old\" one", "=SUM(A1)", "Größe & Preis", "Forecast"];
/// The columns of the file: all there are.
pub const FIELDS: [&str; 11] = [
    "workspace_id",
    "workspace_name",
    "workbook_id",
    "workbook_name",
    "workbook_created_ts",
    "user_id",
    "user_email",
    "run_id",
    "credit_cost",
    "pl_run_created_ts",
    "pl_run_finished_ts",
];

/// A workspace, a workbook or a user.
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its name, or email address.
    pub name: String,
}

/// The directory.
pub struct Directory {
    /// In the order of their ids.
    pub workspaces: Vec<Named>,
    /// Those of the first workspace, then of the next.
    pub workbooks: Vec<Named>,
    /// Everybody; the first one asks for the exports.
    pub users: Vec<Named>,
}

impl Directory {
    /// Always the same.
    pub fn make() -> Self {
        let name = |kind: &str, index: usize| format!("{} {kind} {index}", NAMES[index % NAMES.len()]);
        let named = |kind: &str, prefix: &str, count: usize| {
            (0..count)
                .map(|index| Named { id: format!("{prefix}_{index:020}"), name: name(kind, index) })
                .collect()
        };
        let users = (0..USERS).map(|index| Named {
            id: format!("usr_{index:020}"),
            name: format!("person.{index}@example.com"),
        });
        Self {
            workspaces: named("workspace", "wsp", WORKSPACES),
            workbooks: named("workbook", "wbk", WORKSPACES * WORKBOOKS_IN_WORKSPACE),
            users: users.collect(),
        }
    }

    /// The cells of a run, in the order of [`FIELDS`].
    pub fn row<'a>(&'a self, workspace: usize, run: &'a Run) -> [std::borrow::Cow<'a, str>; 11] {
        let (workspace, workbook, user) =
            (&self.workspaces[workspace], &self.workbooks[run.workbook], &self.users[run.user]);
        [
            workspace.id.as_str().into(),
            inert(&workspace.name),
            workbook.id.as_str().into(),
            inert(&workbook.name),
            CREATED.into(),
            user.id.as_str().into(),
            inert(&user.name),
            run.id.as_str().into(),
            run.credit_cost.as_deref().unwrap_or("").into(),
            run.start.as_str().into(),
            run.finished_ts.as_deref().unwrap_or("").into(),
        ]
    }

    /// Writes it to the table.
    pub async fn put(&self, dynamodb: &Client, table: &str) -> Result<()> {
        let organization = format!("ORG#{ORGANIZATION}");
        let mut items = vec![item(&organization, "ORG", &[("name", "Bench"), ("tier", "enterprise")])];
        for Named { id, name } in &self.workspaces {
            items.push(item(
                &organization,
                &format!("WORKSPACE#{id}"),
                &[("name", name), ("kind", "organization")],
            ));
        }
        for (index, Named { id, name }) in self.workbooks.iter().enumerate() {
            let workspace_id = self.workspaces[index / WORKBOOKS_IN_WORKSPACE].id.as_str();
            let attributes = [
                ("organization_id", ORGANIZATION),
                ("workspace_id", workspace_id),
                ("name", name),
                ("created_ts", CREATED),
            ];
            items.push(item(&format!("WORKBOOK#{id}"), "WORKBOOK", &attributes));
        }
        for Named { id, name } in &self.users {
            let attributes =
                [("email", name.as_str()), ("role", "admin"), ("personal_workspace_id", "wsp_personal")];
            items.push(item(&organization, &format!("MEMBER#{id}"), &attributes));
        }
        for batch in items.chunks(25) {
            let puts = batch.iter().map(|item| {
                let put = PutRequest::builder().set_item(Some(item.clone())).build()?;
                anyhow::Ok(WriteRequest::builder().put_request(put).build())
            });
            let puts = puts.collect::<Result<Vec<_>>>()?;
            let output = dynamodb.batch_write_item().request_items(table, puts).send().await;
            let left = output.context("the directory cannot be written")?.unprocessed_items;
            anyhow::ensure!(left.is_none_or(|left| left.is_empty()), "the emulator left items out");
        }
        Ok(())
    }
}

/// A workbook of the workspace: its place in the directory.
pub fn any_workbook(workspace: usize, rng: &mut Rng) -> usize {
    workspace * WORKBOOKS_IN_WORKSPACE + rng.usize(..WORKBOOKS_IN_WORKSPACE)
}

/// A file with its header.
pub fn csv_writer() -> Result<csv::Writer<Vec<u8>>> {
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    csv.write_record(FIELDS)?;
    Ok(csv)
}

/// As the product makes texts inert; written again here, because a benchmark that asked the product what is right
/// would compare it with itself.
fn inert(text: &str) -> std::borrow::Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text.into() }
}

fn item(partition_key: &str, sort_key: &str, attributes: &[(&str, &str)]) -> HashMap<String, AttributeValue> {
    let keys = [("PK", partition_key), ("SK", sort_key)];
    keys.iter()
        .chain(attributes)
        .map(|(name, value)| ((*name).to_owned(), AttributeValue::S((*value).to_owned())))
        .collect()
}
