//! Runs of workbooks, written directly into the table of usage records.

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::stream::{self, StreamExt};

use crate::org::{Item, TestOrg, text};
use crate::random_id;
use crate::system::system;

/// Items that one `BatchWriteItem` takes at most.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>
const MAX_BATCH_ITEMS: usize = 25;

/// One run. Instants are in the text form of the table.
#[derive(Clone, Debug)]
pub struct Run {
    pub workspace_id: String,
    pub start: String,
    pub id: String,
    pub workbook_id: String,
    pub user_id: String,
    pub credit_cost: Option<String>,
    pub finished_ts: Option<String>,
}

impl Run {
    /// A finished run, whose workbook and user the directory does not know.
    pub fn new(workspace_id: &str, start: &str) -> Self {
        Self {
            workspace_id: workspace_id.to_owned(),
            start: start.to_owned(),
            id: random_id("run"),
            workbook_id: random_id("wbk"),
            user_id: random_id("usr"),
            credit_cost: Some("0.0125".to_owned()),
            finished_ts: Some(start.to_owned()),
        }
    }

    #[must_use]
    pub fn of(self, workbook_id: &str) -> Self {
        Self { workbook_id: workbook_id.to_owned(), ..self }
    }

    #[must_use]
    pub fn by(self, user_id: &str) -> Self {
        Self { user_id: user_id.to_owned(), ..self }
    }

    #[must_use]
    pub fn costing(self, credit_cost: &str) -> Self {
        Self { credit_cost: Some(credit_cost.to_owned()), ..self }
    }

    #[must_use]
    pub fn with_id(self, id: &str) -> Self {
        Self { id: id.to_owned(), ..self }
    }

    #[must_use]
    pub fn unfinished(self) -> Self {
        Self { credit_cost: None, finished_ts: None, ..self }
    }

    /// The partition key: workspace and month.
    fn partition(&self) -> String {
        format!("{}#{}", self.workspace_id, &self.start[..7])
    }

    fn item(&self) -> Item {
        let mut item = Item::from([
            ("PK".to_owned(), text(self.partition())),
            ("SK".to_owned(), text(format!("{}#{}", self.start, self.id))),
            ("workbook_id".to_owned(), text(&self.workbook_id)),
            ("user_id".to_owned(), text(&self.user_id)),
        ]);
        item.extend(
            self.credit_cost.iter().map(|cost| ("credit_cost".to_owned(), AttributeValue::N(cost.clone()))),
        );
        item.extend(self.finished_ts.iter().map(|finished| ("finished_ts".to_owned(), text(finished))));
        item
    }
}

impl TestOrg {
    pub async fn write_runs(&self, runs: &[Run]) {
        self.partitions.lock().unwrap().extend(runs.iter().map(Run::partition));
        let batches = stream::iter(runs.chunks(MAX_BATCH_ITEMS).map(write_batch)).buffer_unordered(8);
        batches.collect::<()>().await;
    }

    /// Writes runs in a workspace, one that starts at each of these instants.
    pub async fn write_runs_at(&self, workspace_id: &str, starts: &[&str]) {
        let runs: Vec<_> = starts.iter().map(|start| Run::new(workspace_id, start)).collect();
        self.write_runs(&runs).await;
    }

    /// Writes a run whose cost is a string, which a correct writer never does.
    pub async fn write_corrupt_run(&self, run: &Run) {
        self.write_run_with(run, "credit_cost", text("abc")).await;
    }

    /// A run with another attribute in place of its own.
    pub async fn write_run_with(&self, run: &Run, name: &str, value: AttributeValue) {
        let mut item = run.item();
        item.insert(name.to_owned(), value);
        let sent = system()
            .dynamodb
            .put_item()
            .table_name(&system().outputs.tables.usage_records)
            .set_item(Some(item));
        sent.send().await.unwrap();
    }
}

async fn write_batch(runs: &[Run]) {
    let table = &system().outputs.tables.usage_records;
    let mut requests: Vec<_> = runs
        .iter()
        .map(|run| {
            let put = PutRequest::builder().set_item(Some(run.item())).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        })
        .collect();
    while !requests.is_empty() {
        let sent = system().dynamodb.batch_write_item().request_items(table, requests).send().await.unwrap();
        requests = sent.unprocessed_items.and_then(|mut left| left.remove(table)).unwrap_or_default();
    }
}
