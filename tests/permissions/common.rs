//! What the scenarios of several functions share.

use integration_tests::api::Answer;
use integration_tests::export::request;
use integration_tests::org::TestOrg;
use integration_tests::outbox::messages_in;
use integration_tests::records::{completed, id_of, new_record, put_active, put_record};
use integration_tests::runs::Run;
use integration_tests::system::{now, system};
use integration_tests::{random_id, wait_for};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::copy::FunctionCopy;
use crate::events::message_event;

/// How long a message is hidden for whoever receives it here: much shorter than a function hides it.
const SECONDS_HIDDEN: i32 = 10;

/// Exports of one organization that are unfinished at most: the template's parameter `ActiveExportLimit`.
const ACTIVE_EXPORT_LIMIT: usize = 5;

/// An export that the deployed system has completed, and its organization.
static COMPLETED: OnceCell<(TestOrg, String)> = OnceCell::const_new();

pub async fn completed_export() -> &'static (TestOrg, String) {
    COMPLETED
        .get_or_init(async || {
            let org = TestOrg::create().await;
            let workspace = org.add_workspace("Sales").await;
            org.write_runs(&[run_in(&workspace)]).await;
            let export = org.export(&request(&json!({"include_all_workspaces": true}))).await;
            (org, export.id)
        })
        .await
}

/// A completed export whose file has expired.
pub async fn expired_export(org: &TestOrg) -> String {
    let record = completed(new_record(org, &org.caller, now()), 1, 100);
    put_record(&record).await;
    id_of(&record)
}

/// A run in the month that the exports here ask for.
pub fn run_in(workspace_id: &str) -> Run {
    Run::new(workspace_id, "2025-01-10T08:00:00.000Z")
}

/// Whether a request was answered with this status. If not, then with that of an internal error.
pub fn is(status: u16, answer: &Answer) -> bool {
    assert!([status, 500].contains(&answer.status), "{} {}", answer.status, answer.text());
    answer.status == status
}

/// Uses all slots of the organization for exports that are gone.
pub async fn use_all_slots(org: &TestOrg) {
    put_active(org, (0..ACTIVE_EXPORT_LIMIT).map(|_| random_id("gone")).collect()).await;
}

/// Whether a queue has a message about an export.
pub async fn is_in(queue_url: &str, data_export_id: &str) -> bool {
    messages_in(queue_url).await.iter().any(|message| message["Body"].to_string().contains(data_export_id))
}

/// Puts a message into a queue.
pub async fn put_message(queue_url: &str, body: &str) {
    system().sqs.send_message().queue_url(queue_url).message_body(body).send().await.unwrap();
}

/// Lets a function handle a message that it has from a queue. Whether the function has hidden it for longer.
pub async fn hides(copy: &FunctionCopy, queue_url: &str, body: &str) -> bool {
    put_message(queue_url, body).await;
    let receive = system().sqs.receive_message().queue_url(queue_url).visibility_timeout(SECONDS_HIDDEN);
    let message = receive.send().await.unwrap().messages.unwrap().remove(0);
    copy.invoke(&message_event(body, message.receipt_handle())).await.unwrap();
    let messages = messages_in(queue_url).await;
    let hidden = messages.iter().find(|of| of["MessageId"] == message.message_id().unwrap()).unwrap();
    hidden["VisibleAt"].as_i64().unwrap() > now().timestamp() + 2 * i64::from(SECONDS_HIDDEN)
}

/// Waits until a queue is empty: its event source has delivered the messages, and the function has handled them.
pub async fn wait_until_empty(queue_url: &str) {
    wait_for("the messages of a queue to be handled", async || {
        messages_in(queue_url).await.is_empty().then_some(())
    })
    .await;
}

/// The body of a message about an export.
pub fn message(data_export_id: &str) -> String {
    json!({"data_export_id": data_export_id}).to_string()
}

/// Lets a function handle the message of an export. Whether it is done with it; else the message comes again.
pub async fn handles(copy: &FunctionCopy, data_export_id: &str) -> bool {
    let answer = copy.invoke(&message_event(&message(data_export_id), None)).await.unwrap();
    let failures: &Vec<Value> = answer["batchItemFailures"].as_array().unwrap();
    failures.is_empty()
}
