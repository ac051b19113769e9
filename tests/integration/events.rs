//! The events of `events/`, each sent to its function by `cargo lambda invoke`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use integration_tests::api::{Call, get_history, get_status};
use integration_tests::cargo_lambda::CargoLambda;
use integration_tests::export::{assert_same_file, request};
use integration_tests::oracle::Snapshot;
use integration_tests::org::{Caller, TestOrg};
use integration_tests::outbox::wait_until_handled;
use integration_tests::records::{delete_record, new_record, put_active, put_record, read_record};
use integration_tests::run;
use integration_tests::system::now;

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
const FUNCTIONS: [&str; 4] = ["export_data", "export_status", "export_worker", "settings_page"];

#[test]
fn each_event_is_answered_by_its_function() {
    run(async {
        let example = Example::create().await;
        let lambda = CargoLambda::watch(&FUNCTIONS, &example.page_url).await;
        for path in event_files() {
            let invoke = async |function| lambda.invoke(function, &path).await;
            match path.file_name().unwrap().to_str().unwrap() {
                "audit.json" => example.assert_audit(&invoke("export_status").await).await,
                "export_data.json" => example.assert_exports(&invoke("export_data").await).await,
                "export_status.json" => example.assert_status(&invoke("export_status").await).await,
                "exports.json" => example.assert_history(&invoke("export_status").await).await,
                "settings_page.json" => example.assert_page(&invoke("settings_page").await),
                "sqs_export.json" => example.assert_made(&invoke("export_worker").await).await,
                "sqs_malformed.json" => assert_reported(&invoke("export_worker").await),
                name => panic!("this test does not know what events/{name} is for"),
            }
        }
        example.remove().await;
    });
}

fn event_files() -> Vec<PathBuf> {
    let files = fs::read_dir(EVENTS).unwrap().map(|entry| entry.unwrap().path());
    let mut events: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    events.sort();
    events
}

fn read(name: &str) -> Value {
    serde_json::from_slice(&fs::read(Path::new(EVENTS).join(name)).unwrap()).unwrap()
}

/// A document inside an event or an answer.
fn body(of: &Value) -> Value {
    serde_json::from_str(of["body"].as_str().unwrap_or_else(|| panic!("no body: {of}"))).unwrap()
}

/// The body of an answer, which must be a 200 with JSON.
fn ok(answer: &Value) -> Value {
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(answer["headers"]["content-type"], "application/json", "{answer}");
    body(answer)
}

/// What the events name: the organization of `usr_example`, signed in, with an export that waits for its worker.
struct Example {
    org: TestOrg,
    data_export_id: String,
    page_url: String,
}

impl Example {
    async fn create() -> Self {
        let (post, page) = (read("export_data.json"), read("settings_page.json"));
        let message = body(&read("sqs_export.json")["Records"][0]);
        let data_export_id = message["data_export_id"].as_str().unwrap().to_owned();
        // A message that an earlier run of this test has left.
        wait_until_handled(&data_export_id).await;
        let key = post["headers"]["authorization"].as_str().unwrap().strip_prefix("Bearer ").unwrap();
        let user_id = body(&post)["user_id"].as_str().unwrap().to_owned();
        let org = TestOrg::create_for(Caller { user_id, key: key.to_owned() }).await;
        let mut cookies = page["cookies"].as_array().unwrap().iter().map(|cookie| cookie.as_str().unwrap());
        let token = cookies.find_map(|cookie| cookie.strip_prefix("__Host-usage_export_session="));
        org.put_session(token.unwrap()).await;
        let workspace = org.add_workspace("Sales").await;
        let starts = ["2025-01-10T08:00:00.000Z", "2025-10-01T00:00:00.000Z", "2025-10-31T23:59:59.999Z"];
        org.write_runs_at(&workspace, &starts).await;
        let mut record = new_record(&org, &org.caller, now());
        record["data_export_id"] = data_export_id.as_str().into();
        put_record(&record).await;
        put_active(&org, vec![data_export_id.clone()]).await;
        let page_url = format!("https://{}", page["headers"]["host"].as_str().unwrap());
        Self { org, data_export_id, page_url }
    }

    /// `POST /export_data` makes an export, which the deployed worker finishes.
    async fn assert_exports(&self, answer: &Value) {
        let accepted = ok(answer);
        assert_eq!(
            (&accepted["success"], &accepted["state"]),
            (&json!(true), &json!("REQUESTED")),
            "{accepted}"
        );
        let id = accepted["data_export_id"].as_str().unwrap();
        self.org.exports().add(id);
        self.assert_file(id, &body(&read("export_data.json"))).await;
    }

    /// `GET /export_status` answers as it does through the gateway.
    async fn assert_status(&self, answer: &Value) {
        let status = ok(answer);
        assert_eq!(status, get_status(&self.org.caller, &self.data_export_id).await.ok());
        assert_eq!(
            (&status["data_export_id"], &status["state"]),
            (&json!(self.data_export_id), &json!("REQUESTED"))
        );
    }

    /// So does `GET /exports`.
    async fn assert_history(&self, answer: &Value) {
        let history = ok(answer);
        assert_eq!(history, get_history(&self.org.caller, None).await.ok());
        let exports = history["exports"].as_array().unwrap();
        assert!(exports.iter().any(|export| export["data_export_id"] == self.data_export_id), "{history}");
    }

    /// The trail is that which `GET /audit` shows.
    async fn assert_audit(&self, answer: &Value) {
        let caller = &self.org.caller;
        let call = Call::get("/audit", &[("user_id", &caller.user_id)]).with_key(&caller.key);
        assert_eq!(ok(answer), call.send().await.ok());
    }

    /// The page knows who is signed in, and links to their export.
    fn assert_page(&self, answer: &Value) {
        assert_eq!(answer["statusCode"], 200, "{answer}");
        assert!(answer["headers"]["content-type"].as_str().unwrap().starts_with("text/html"), "{answer}");
        let page = answer["body"].as_str().unwrap();
        for shown in [&self.org.admin.email, &format!("/exports/{}", self.data_export_id)] {
            assert!(page.contains(shown), "{shown} is not on the page: {page}");
        }
    }

    /// The worker takes the export on. `cargo lambda` tells functions that they end in 1970, so that it hands the export over
    /// after its first page, to the worker in the emulator.
    async fn assert_made(&self, answer: &Value) {
        assert_eq!(*answer, json!({"batchItemFailures": []}));
        let record = read_record(&self.data_export_id).await;
        assert!(record["epoch"].as_u64() >= Some(1), "no worker has claimed it: {record}");
        self.assert_file(&self.data_export_id, &request(&json!({"include_all_workspaces": true}))).await;
    }

    /// The export completes, and its file is the one that this request must give.
    async fn assert_file(&self, data_export_id: &str, request: &Value) {
        let (expected, rows) = Snapshot::read(&self.org).await.expected(request);
        assert!(rows > 0, "{request}");
        let export = self.org.finished_export(data_export_id).await;
        assert_same_file(&export.file, &expected, request);
        assert_eq!(export.status["row_count"], rows);
    }

    /// Removes what has no random id.
    async fn remove(self) {
        wait_until_handled(&self.data_export_id).await;
        self.org.exports().assert_finished().await;
        self.org.revoke_key(&self.org.caller.key).await;
        delete_record(&self.data_export_id).await;
    }
}

/// SQS is to deliver the malformed message again, until it is in the dead-letter queue.
fn assert_reported(answer: &Value) {
    let message_id = &read("sqs_malformed.json")["Records"][0]["messageId"];
    assert_eq!(*answer, json!({"batchItemFailures": [{"itemIdentifier": message_id}]}));
}
