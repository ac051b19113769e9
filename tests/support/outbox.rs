//! The queue and the sent emails, as the emulator shows them.

use serde_json::{Value, json};

use crate::system::system;
use crate::wait_for;

/// An email that was sent.
#[derive(Debug)]
pub struct Email {
    pub from: String,
    pub to: Vec<String>,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// The emails about an export, in the order in which they were sent.
pub async fn emails_of(data_export_id: &str) -> Vec<Email> {
    let messages = sent_emails().await;
    let about_it = messages.iter().filter(|message| message.to_string().contains(data_export_id));
    about_it.map(email).collect()
}

/// All emails that were sent, as the server of emails keeps them.
pub async fn sent_emails() -> Vec<Value> {
    match system().outputs.service_endpoint_urls.get("sesv2") {
        Some(url) => entries(&look(&format!("{url}/store")).await["emails"]),
        None => entries(&look(&at_emulator("/_ministack/ses/messages")).await["messages"]),
    }
}

/// Waits until an email about an export is sent, and returns the last one.
pub async fn wait_for_email(data_export_id: &str) -> Email {
    wait_for("an email", async || emails_of(data_export_id).await.pop()).await
}

fn email(message: &Value) -> Email {
    // As aws-ses-v2-local shows it, or as MiniStack does.
    let (from, to, subject, text, html) = if message.get("messageId").is_some() {
        ("/from", "/destination/to", "/subject", "/body/text", "/body/html")
    } else {
        ("/Source", "/To", "/Subject", "/BodyText", "/BodyHtml")
    };
    let part =
        |pointer: &str| message.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let to = message.pointer(to).unwrap().as_array().unwrap().iter();
    Email {
        from: part(from),
        to: to.map(|to| to.as_str().unwrap().to_owned()).collect(),
        subject: part(subject),
        text: part(text),
        html: part(html),
    }
}

/// Sends the worker a message about an export.
pub async fn send_message(data_export_id: &str) {
    let body = json!({"data_export_id": data_export_id}).to_string();
    system()
        .sqs
        .send_message()
        .queue_url(&system().outputs.queue_url)
        .message_body(body)
        .send()
        .await
        .unwrap();
}

/// Waits until the queue has no message about an export, not even one whose redelivery is delayed.
pub async fn wait_until_handled(data_export_id: &str) {
    wait_for("a message to be handled", async || {
        let messages = messages_in(&system().outputs.queue_url).await;
        let waiting = messages.iter().any(|message| message.to_string().contains(data_export_id));
        (!waiting).then_some(())
    })
    .await;
}

/// All messages of a queue: those that wait, those whose redelivery is delayed and those in flight.
pub async fn messages_in(queue_url: &str) -> Vec<Value> {
    let Some(url) = system().outputs.service_endpoint_urls.get("sqs") else {
        let path = format!("/_ministack/sqs/messages?QueueUrl={queue_url}");
        return entries(&look(&at_emulator(&path)).await["messages"]);
    };
    let path = "/_aws/sqs/messages?ShowInvisible=true&ShowDelayed=true&QueueUrl=";
    let answer = look(&format!("{url}{path}{queue_url}")).await;
    // One message is not a list of one.
    match &answer["ReceiveMessageResponse"]["ReceiveMessageResult"]["Message"] {
        Value::Array(messages) => messages.clone(),
        Value::Null => Vec::new(),
        message => vec![message.clone()],
    }
}

/// Whether the dead-letter queue has a message about an export.
pub async fn is_in_dead_letter_queue(data_export_id: &str) -> bool {
    let messages = messages_in(&system().outputs.dlq_url).await;
    messages.iter().any(|message| message.to_string().contains(data_export_id))
}

fn at_emulator(path: &str) -> String {
    format!("{}{path}", system().outputs.endpoint_url)
}

async fn look(url: &str) -> Value {
    let request = system().http.get(url).header("accept", "application/json");
    request.send().await.unwrap().json().await.unwrap()
}

/// The messages without the groups, which are accounts, regions or queues.
fn entries(grouped: &Value) -> Vec<Value> {
    match grouped {
        Value::Array(messages) => messages.clone(),
        Value::Object(groups) => groups.values().flat_map(entries).collect(),
        _ => Vec::new(),
    }
}
