//! A worker that runs in the test's process, and an export in an organization of its own. The export's message is not in
//! the queue, so that the deployed worker does not take it.

use std::cell::Cell;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use chrono::{DateTime, TimeDelta, Utc};
use export_worker::sink::bucket::Bucket;
use export_worker::{Delivery, Disposition, Splitting, Worker};
use integration_tests::files::read_file;
use integration_tests::manifest::{assert_describes, read_manifest};
use integration_tests::org::TestOrg;
use integration_tests::outbox::emails_of;
use integration_tests::records::{
    id_of, new_record, put_active, put_record, read_record, set_in_record, timestamp,
};
use integration_tests::runs::Run;
use integration_tests::system::{self, Backend, system};
use notification::Mailer;
use serde_json::{Value, json};
use usage_export::directory::Directory;
use usage_export::export::queue::ExportQueue;
use usage_export::export::store::Exports;
use usage_records::budget::ReadBudget;
use usage_records::pace::Pace;
use usage_records::query::UsageRecords;

use crate::faults::{Faults, answer, crc32};
use crate::page_size::PageSize;

thread_local! {
    /// Each test has a thread of its own, on which its worker reads the clock.
    static NOW: Cell<DateTime<Utc>> = Cell::new(system::now());
}

/// The worker's clock; it stands still until [`let_pass`].
pub fn now() -> DateTime<Utc> {
    NOW.get()
}

pub fn let_pass(seconds: i64) {
    NOW.set(now() + TimeDelta::seconds(seconds));
}

/// An export of January 2025, requested and not begun.
pub struct World {
    pub org: TestOrg,
    /// The workspaces that the export names, in order.
    pub workspaces: Vec<String>,
    pub id: String,
    pub faults: Faults,
    /// Records on a page of the usage records.
    pub page_size: i32,
    /// How many exports of an organization a worker lets run at the same time.
    pub max_running: u32,
    /// How a worker splits an export: by default not at all.
    pub splitting: Splitting,
    /// None: each part is followed by a checkpoint.
    pub checkpoint_interval: TimeDelta,
}

impl World {
    /// Three runs in one workspace, on two pages.
    pub async fn new() -> Self {
        Self::with_request(|_| ()).await
    }

    /// The same, with another request.
    pub async fn with_request(change: impl FnOnce(&mut Value)) -> Self {
        let world = Self::without_runs(1, change).await;
        let runs: Vec<_> =
            (1..=3).map(|day| world.run(0, &format!("2025-01-0{day}T09:00:00.000Z"))).collect();
        let runs = (1..).zip(runs).map(|(run, of)| of.with_id(&format!("run_{run}")));
        world.org.write_runs(&runs.collect::<Vec<_>>()).await;
        world
    }

    pub async fn without_runs(workspaces: usize, change: impl FnOnce(&mut Value)) -> Self {
        let org = TestOrg::create().await;
        let mut ids = Vec::new();
        for _ in 0..workspaces {
            ids.push(org.add_workspace("Sales").await);
        }
        ids.sort();
        let world = Self {
            id: String::new(),
            workspaces: ids,
            faults: Faults::default(),
            page_size: 2,
            max_running: 3,
            splitting: Splitting { lanes: 1, max_workers: 1, min_pages: u32::MAX },
            checkpoint_interval: TimeDelta::zero(),
            org,
        };
        world.another_export(change).await
    }

    /// An export of the same organization and workspaces.
    pub async fn another_export(&self, change: impl FnOnce(&mut Value)) -> Self {
        let mut record = new_record(&self.org, &self.org.caller, now());
        record["request"]["fields"] = json!(["run_id", "workspace_name", "credit_cost"]);
        record["request"]["scope"]["all_workspaces"] = false.into();
        record["request"]["scope"]["personal_workspaces"] = false.into();
        record["request"]["scope"]["workspace_ids"] = json!(self.workspaces);
        change(&mut record["request"]);
        put_record(&record).await;
        put_active(&self.org, vec![id_of(&record)]).await;
        let (org, workspaces) = (self.org.clone(), self.workspaces.clone());
        let world = Self {
            org,
            workspaces,
            id: id_of(&record),
            faults: Faults::default(),
            page_size: self.page_size,
            max_running: self.max_running,
            splitting: self.splitting,
            checkpoint_interval: self.checkpoint_interval,
        };
        world.recover();
        world
    }

    /// The same export as another worker has it.
    pub fn another_worker(&self) -> Self {
        Self {
            org: self.org.clone(),
            workspaces: self.workspaces.clone(),
            id: self.id.clone(),
            faults: self.faults.clone(),
            ..*self
        }
    }

    /// A run in one of the workspaces.
    pub fn run(&self, workspace: usize, start: &str) -> Run {
        Run::new(&self.workspaces[workspace], start).of("wbk_1").costing("0.5")
    }

    /// Ends every fault. What MiniStack cannot do is still done for it.
    pub fn recover(&self) {
        self.faults.end();
        // No service knows a receipt handle of a message that was never sent.
        self.faults.on("ChangeMessageVisibility", async |_, _| answer(200, "{}"));
        if system().outputs.backend == Backend::Localstack {
            return;
        }
        // For a file in parts MiniStack tells only the checksum of their checksums, and S3 the one that was asked for.
        let (org, id) = (self.org.clone(), self.id.clone());
        self.faults.on("HeadObject", move |call, _| {
            let (org, id) = (org.clone(), id.clone());
            async move {
                let mut head = call.send().await?;
                if let Some(file) = read_file(&org, &id).await {
                    head.headers_mut().insert("x-amz-checksum-type", "FULL_OBJECT");
                    head.headers_mut().insert("x-amz-checksum-crc32", crc32(&file));
                }
                Ok(head)
            }
        });
    }

    /// A worker, as `main` wires it, but that retries come at once.
    pub fn worker(&self) -> Worker {
        let at_once = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
        let aws = system().sdk.to_builder().http_client(self.faults.clone()).retry_config(at_once).build();
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&aws).interceptor(PageSize(self.page_size));
        let dynamodb = aws_sdk_dynamodb::Client::from_conf(dynamodb.build());
        let ses = aws_sdk_sesv2::config::Builder::from(&aws).retry_config(RetryConfig::disabled());
        let (outputs, tables) = (&system().outputs, &system().outputs.tables);
        let exports = Exports::new(dynamodb.clone(), tables.exports.clone());
        Worker {
            exports: exports.clone(),
            directory: Directory::new(dynamodb.clone(), tables.directory.clone()),
            usage_records: UsageRecords {
                client: dynamodb,
                table: tables.usage_records.clone(),
                read_ahead: 4,
                pace: Pace::new(ReadBudget {
                    exports: exports.clone(),
                    // More than all tests read: the clock stands still, so a second of which others have taken everything never ends.
                    units_per_second: 1_000_000_000,
                    clock: now,
                }),
            },
            bucket: Bucket::new(&aws, outputs.bucket.clone()),
            mailer: Mailer {
                client: aws_sdk_sesv2::Client::from_conf(ses.build()),
                from: "exports@example.com".to_owned(),
                configuration_set: None,
                page_origin: "https://app.example.com".parse().unwrap(),
            },
            queue: ExportQueue { client: aws_sdk_sqs::Client::new(&aws), url: outputs.queue_url.clone() },
            max_running: self.max_running,
            splitting: self.splitting,
            checkpoint_interval: self.checkpoint_interval,
            file_days: 30,
            clock: now,
        }
    }

    /// Processes the export's message; `receives` is how many times it was delivered.
    pub async fn process(&self, receives: u32) -> Disposition {
        self.process_until(receives, now() + TimeDelta::minutes(15)).await
    }

    /// Processes the export's message in a worker that ends at `deadline`.
    pub async fn process_until(&self, receives: u32, deadline: DateTime<Utc>) -> Disposition {
        let delivery = Delivery { receives, deadline, receipt_handle: None };
        // On the heap, because it is large.
        Box::pin(export_worker::job::process(&self.worker(), &self.id, &delivery)).await
    }

    /// The export's record.
    pub async fn export(&self) -> Value {
        read_record(&self.id).await
    }

    pub async fn set(&self, name: &str, value: impl Into<Value>) {
        set_in_record(&self.id, name, &value.into()).await;
    }

    /// Another worker has it, until so many seconds from now.
    pub async fn give_to_another(&self, seconds: i64) {
        self.set("state", "IN_PROGRESS").await;
        self.set("lease_owner", "another").await;
        self.set("lease_until", timestamp(now() + TimeDelta::seconds(seconds))).await;
    }

    /// A worker had it before, so that its file is no longer written by one request.
    pub async fn was_claimed_before(&self) {
        self.set("epoch", 1).await;
    }

    /// The export's file, if it is there.
    pub async fn file(&self) -> Option<Vec<u8>> {
        read_file(&self.org, &self.id).await
    }

    /// The manifest of the completed export, after a comparison with the file.
    pub async fn manifest(&self) -> Value {
        let (manifest, file) = (read_manifest(&self.id).await, self.file().await.unwrap());
        assert_describes(&manifest, &self.org, &self.id, &file);
        manifest
    }

    /// The numbers of the parts in the order in which they were sent.
    pub fn parts_sent(&self) -> Vec<i32> {
        self.faults.sent("UploadPart").iter().map(|part| part.part_number()).collect()
    }

    /// Subjects of the emails to the export's owner.
    pub async fn subjects(&self) -> Vec<String> {
        let emails = emails_of(&self.id).await;
        assert!(emails.iter().all(|email| email.to == [self.org.admin.email.as_str()]), "{emails:?}");
        emails.into_iter().map(|email| email.subject).collect()
    }
}
