//! What does not work when `SettingsPageFunction` lacks a permission.

use integration_tests::api::{Answer, Call};
use integration_tests::org::TestOrg;
use integration_tests::page::{Visitor, get_page, post_form};
use integration_tests::random_id;
use integration_tests::system::system;

use crate::common::{completed_export, expired_export, is, is_in, run_in, use_all_slots};
use crate::copy::FunctionCopy;

/// A form that asks for one field of January 2025 in all workspaces.
const FORM: [(&str, &str); 4] = [
    ("start_date", "01/01/2025"),
    ("end_date", "01/31/2025"),
    ("workspaces", "all"),
    ("export_fields", "run_id"),
];

/// A session that the deployed page has started, at the copy of the page.
struct Session<'a> {
    copy: &'a FunctionCopy,
    cookie: String,
}

/// Whether that works for which the function needs this permission.
pub async fn works(copy: &FunctionCopy, permission: &str) -> bool {
    let of_files = [
        "s3:",
        "dynamodb:PutItem AuditTable",
        "dynamodb:Query AuditTable/index/by_export",
        "dynamodb:BatchGetItem DirectoryTable",
        "dynamodb:GetItem ExportsTable",
    ];
    if of_files.iter().any(|start| permission.starts_with(start)) {
        return shows_an_export(copy, permission).await;
    }
    let org = TestOrg::create().await;
    let session = Session::of(copy, &org).await;
    match permission {
        "dynamodb:GetItem DirectoryTable"
        | "dynamodb:Query ExportsTable/index/by_organization"
        | "logs:CreateLogStream SettingsPageLogs"
        | "logs:PutLogEvents SettingsPageLogs" => is(200, &session.get("").await),
        "dynamodb:Query AuditTable" => is(200, &session.get("/audit").await),
        "dynamodb:Query ExportsTable/index/by_user" => is(200, &session.get("?who=me").await),
        "dynamodb:Query DirectoryTable" => is(200, &session.get("/new").await),
        "dynamodb:Query UsageRecordsTable" => shows_a_preview(&session, &org).await,
        "dynamodb:PutItem ExportsTable" | "dynamodb:UpdateItem ExportsTable" => {
            is(303, &session.start_export().await)
        }
        "dynamodb:BatchGetItem ExportsTable" => {
            use_all_slots(&org).await;
            is(303, &session.start_export().await)
        }
        "sqs:SendMessage ExportQueue" => {
            let started = session.start_export().await;
            let id = started.header("location").split_once("?started=").unwrap().1;
            is_in(&copy.queue_url, id).await
        }
        _ => writes_the_directory(&session, &org, permission).await,
    }
}

async fn writes_the_directory(session: &Session<'_>, org: &TestOrg, permission: &str) -> bool {
    let (action, condition) = permission.split_once(" DirectoryTable").unwrap_or((permission, ""));
    match (action, condition.contains("SAVED#")) {
        ("dynamodb:PutItem", true) => is(303, &session.post("/saved", &[("name", "Monthly")]).await),
        ("dynamodb:PutItem", false) => {
            let form = [("user_id", &*org.caller.user_id), ("api_key", &*org.caller.key)];
            is(303, &session.send(post_form("/sign_in", &form)).await)
        }
        ("dynamodb:UpdateItem", false) => is(303, &session.post("/sign_out", &[]).await),
        ("dynamodb:DeleteItem", true) => {
            is(303, &session.post(&format!("/saved/{}/delete", "0".repeat(32)), &[]).await)
        }
        _ => panic!("no scenario for {permission}"),
    }
}

/// What an administrator sees of the export of another one, or of their own.
async fn shows_an_export(copy: &FunctionCopy, permission: &str) -> bool {
    let (org, id) = completed_export().await;
    let session = Session::of(copy, org).await;
    match permission {
        "dynamodb:GetItem ExportsTable" => is(200, &session.get(&format!("/exports/{id}")).await),
        "dynamodb:BatchGetItem DirectoryTable" => {
            let colleague = Visitor::sign_in(&org.add_admin().await).await;
            is(200, &Session { copy, cookie: colleague.cookie }.get("").await)
        }
        "dynamodb:Query AuditTable/index/by_export" => {
            is(200, &session.get(&format!("/audit?export={id}")).await)
        }
        "s3:GetObject ExportBucket/exports/*" | "dynamodb:PutItem AuditTable" => {
            is(302, &session.get(&format!("/exports/{id}/download")).await)
        }
        "s3:ListBucket ExportBucket" => {
            let id = expired_export(org).await;
            is(404, &session.get(&format!("/exports/{id}/download")).await)
        }
        _ => panic!("no scenario for {permission}"),
    }
}

async fn shows_a_preview(session: &Session<'_>, org: &TestOrg) -> bool {
    let workspace = org.add_workspace("Sales").await;
    org.write_runs(&[run_in(&workspace)]).await;
    let page = session.post("/new/preview", &[]).await.text();
    let is_missing = page.contains("There is no estimate at the moment");
    assert_ne!(is_missing, page.contains("1 row, "), "{page}");
    !is_missing
}

impl<'a> Session<'a> {
    async fn of(copy: &'a FunctionCopy, org: &TestOrg) -> Self {
        Self { copy, cookie: Visitor::sign_in(&org.caller).await.cookie }
    }

    async fn get(&self, rest: &str) -> Answer {
        self.send(get_page(rest)).await
    }

    /// Sends `FORM` with further fields.
    async fn post(&self, rest: &str, more: &[(&str, &str)]) -> Answer {
        self.send(post_form(rest, &[&FORM[..], more].concat())).await
    }

    async fn start_export(&self) -> Answer {
        self.post("/new", &[("idempotency_key", &random_id("key"))]).await
    }

    async fn send(&self, call: Call) -> Answer {
        let origin = &system().outputs.api_url;
        self.copy.answer(&call.with_header("cookie", &self.cookie).with_header("origin", origin)).await
    }
}
