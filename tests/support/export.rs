//! Making an export: from the request to the downloaded file.

use std::sync::{Arc, Mutex};

use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use usage_export::usage;

use crate::api::{follow, get_download, get_manifest, get_status, post_export};
use crate::manifest::assert_describes;
use crate::oracle::{Snapshot, crc32};
use crate::org::{Caller, TestOrg};
use crate::records::read_record;
use crate::wait_for;

/// The ids of all fields, from the one list of them. What a field's cell must contain is for the oracle to say, which
/// names the fields itself.
pub const FIELDS: [&str; usage::FIELDS.len()] = {
    let mut ids = [""; usage::FIELDS.len()];
    let mut index = 0;
    // `map` is not for constants yet.
    while index < ids.len() {
        ids[index] = usage::FIELDS[index].id;
        index += 1;
    }
    ids
};

/// Exports of one organization that run at a time, which are fewer than its limit.
const CONCURRENT_EXPORTS: usize = 4;

/// Ids of the exports that a test has asked for.
#[derive(Clone, Default)]
pub struct PostedExports(Arc<Mutex<Vec<String>>>);

impl PostedExports {
    pub fn add(&self, data_export_id: &str) {
        self.0.lock().unwrap().push(data_export_id.to_owned());
    }

    /// Waits until all of them are finished.
    pub async fn assert_finished(&self) {
        let ids = self.0.lock().unwrap().clone();
        for id in ids {
            wait_for("an export that the test left unfinished", async || {
                is_final(&read_record(&id).await).then_some(())
            })
            .await;
        }
    }
}

/// A completed export.
pub struct Export {
    pub id: String,
    /// The last answer of `GET /export_status`.
    pub status: Value,
    pub file: Vec<u8>,
}

impl Export {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.file).unwrap()
    }

    /// The lines after the header. Only for files that have no line breaks in cells.
    pub fn rows(&self) -> Vec<&str> {
        self.text().split_terminator("\r\n").skip(1).collect()
    }
}

/// A body that asks for all fields of January 2025; the members of `more` are added or replace others.
pub fn request(more: &Value) -> Value {
    let mut body = json!({"export_fields": FIELDS, "start_date": "2025-01-01", "end_date": "2025-01-31"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

impl TestOrg {
    /// Asks for an export as the administrator, and returns its id.
    pub async fn post_export(&self, body: &Value) -> String {
        self.post_export_as(&self.caller, body).await
    }

    pub async fn post_export_as(&self, caller: &Caller, body: &Value) -> String {
        let accepted = post_export(caller, body).await.ok();
        let id = accepted["data_export_id"].as_str().unwrap().to_owned();
        self.posted.add(&id);
        id
    }

    /// Asks for an export, waits for it, and downloads its file.
    pub async fn export(&self, body: &Value) -> Export {
        let id = self.post_export(body).await;
        self.finished_export(&id).await
    }

    /// Waits until an export completes, downloads its file, and compares size and checksum.
    pub async fn finished_export(&self, id: &str) -> Export {
        let status = wait_until_final(&self.caller, id).await;
        assert_eq!(status["state"], "COMPLETED", "{status}");
        let file = download(&self.caller, id).await;
        assert_eq!(status["size_bytes"], file.len(), "{status}");
        assert_eq!(status["checksum"], format!("crc32:{:08x}", crc32(&file)), "{status}");
        let answer = get_manifest(&self.caller, id).await;
        let manifest = if answer.status == 302 { follow(&answer).await.json() } else { answer.ok() };
        assert_describes(&manifest, self, id, &file);
        Export { id: id.to_owned(), status, file }
    }

    /// Makes an export, and compares the file with the one that the oracle computes from the tables.
    pub async fn assert_export(&self, body: &Value) -> Export {
        self.assert_exports(std::slice::from_ref(body)).await.remove(0)
    }

    /// The same for several requests, some of them at a time. Returns the exports in the order of the requests.
    pub async fn assert_exports(&self, bodies: &[Value]) -> Vec<Export> {
        let snapshot = Snapshot::read(self).await;
        stream::iter(bodies)
            .map(async |body| {
                let export = self.export(body).await;
                let (expected, rows) = snapshot.expected(body);
                assert_same_file(&export.file, &expected, body);
                assert_eq!(export.status["row_count"], rows, "{body}");
                export
            })
            .buffered(CONCURRENT_EXPORTS)
            .collect()
            .await
    }
}

/// Waits until an export is COMPLETED or FAILED. Asserts at every answer that the state never goes back.
pub async fn wait_until_final(caller: &Caller, id: &str) -> Value {
    let mut last_state = 0;
    wait_for("an export to finish", async || {
        let status = get_status(caller, id).await.ok();
        let state = ["REQUESTED", "IN_PROGRESS", "COMPLETED", "FAILED"]
            .iter()
            .position(|state| status["state"] == *state)
            .unwrap_or_else(|| panic!("{status}"));
        assert!(last_state <= state, "the state went back: {status}");
        last_state = state;
        assert_eq!(status["finished_ts"].is_string(), is_final(&status), "{status}");
        is_final(&status).then_some(status)
    })
    .await
}

fn is_final(status: &Value) -> bool {
    status["state"] == "COMPLETED" || status["state"] == "FAILED"
}

/// Downloads the file of a completed export, from the answer or from S3.
pub async fn download(caller: &Caller, id: &str) -> Vec<u8> {
    let answer = get_download(caller, id).await;
    let file = if answer.status == 302 { follow(&answer).await } else { answer };
    assert_eq!(file.status, 200, "{}", String::from_utf8_lossy(&file.body));
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    file.body
}

/// Asserts that the files are equal; shows the first line that differs.
pub fn assert_same_file(file: &[u8], expected: &[u8], request: &Value) {
    if file == expected {
        return;
    }
    let lines = |bytes: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(bytes).split_inclusive('\n').map(str::to_owned).collect()
    };
    let (actual, wanted) = (lines(file), lines(expected));
    let same = actual.iter().zip(&wanted).take_while(|(actual, wanted)| actual == wanted).count();
    panic!(
        "line {same} of {} is {:?}, expected is {:?} of {}; the request was {request}",
        actual.len(),
        actual.get(same),
        wanted.get(same),
        wanted.len()
    );
}
