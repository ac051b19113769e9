//! The naive peer: the export as one writes it first, with the SDK's paginator, serde, the csv crate and a multipart
//! upload.
//!
//! It has no lease, no checkpoint and no check of what arrived. It gets the ids of the fields from its event, and lists the
//! cells of a row in that order, on purpose without code of the product.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_dynamo::aws_sdk_dynamodb_1::from_item;
use serde_json::{Value, json};

/// Size of the parts of the upload, as in the product.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// The event: what to export.
#[derive(Deserialize)]
struct Job {
    organization_id: String,
    workspaces: Vec<String>,
    months: Vec<String>,
    first: String,
    last: String,
    fields: Vec<String>,
    key: String,
}

/// An item of the usage records.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "SK")]
    sort_key: String,
    workbook_id: String,
    user_id: String,
    /// Taken from the item by `record`, because `serde_dynamo` reads numbers only as integers or floats.
    #[serde(skip)]
    credit_cost: Option<String>,
    finished_ts: Option<String>,
}

/// An item of the directory. Workspaces and workbooks have a name, members an email address.
#[derive(Default, Deserialize)]
struct Named {
    #[serde(rename = "PK")]
    partition_key: String,
    #[serde(rename = "SK")]
    sort_key: String,
    #[serde(alias = "email", default)]
    name: String,
    #[serde(default)]
    created_ts: String,
}

/// Clients, and the names of what they use.
struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    s3: aws_sdk_s3::Client,
    records_table: String,
    directory_table: String,
    bucket: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let clients = &Clients {
        dynamodb: aws_sdk_dynamodb::Client::new(&aws),
        s3: aws_sdk_s3::Client::new(&aws),
        records_table: std::env::var("USAGE_RECORDS_TABLE")?,
        directory_table: std::env::var("DIRECTORY_TABLE")?,
        bucket: std::env::var("BUCKET")?,
    };
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Job>| async move {
        export(clients, &event.payload).await?;
        Ok::<Value, Error>(json!({}))
    }))
    .await
}

async fn export(clients: &Clients, job: &Job) -> Result<(), Error> {
    let organization = format!("ORG#{}", job.organization_id);
    let mut names = HashMap::new();
    let workspaces = job.workspaces.iter().map(|id| (organization.clone(), format!("WORKSPACE#{id}")));
    load(clients, &mut names, workspaces.collect()).await?;
    let mut upload = MultipartUpload::begin(clients, &job.key).await?;
    let mut csv = writer();
    csv.write_record(&job.fields)?;
    for workspace in &job.workspaces {
        for month in &job.months {
            let mut pages = clients
                .dynamodb
                .query()
                .table_name(&clients.records_table)
                .key_condition_expression("PK = :pk AND SK BETWEEN :first AND :last")
                .expression_attribute_values(":pk", AttributeValue::S(format!("{workspace}#{month}")))
                .expression_attribute_values(":first", AttributeValue::S(job.first.clone()))
                .expression_attribute_values(":last", AttributeValue::S(job.last.clone()))
                .consistent_read(true)
                .into_paginator()
                .send();
            while let Some(page) = pages.try_next().await? {
                let records = page.items.unwrap_or_default().into_iter().map(record);
                let records = records.collect::<Result<Vec<_>, _>>()?;
                let keys = records.iter().flat_map(|record| {
                    [workbook_key(&record.workbook_id), (organization.clone(), member_key(&record.user_id))]
                });
                let keys = keys.filter(|key| !names.contains_key(key)).collect();
                load(clients, &mut names, keys).await?;
                for record in &records {
                    write(&mut csv, &organization, workspace, record, &names)?;
                }
                if csv.get_ref().len() >= PART_BYTES {
                    upload.send_part(clients, std::mem::replace(&mut csv, writer()).into_inner()?).await?;
                }
            }
        }
    }
    upload.send_part(clients, csv.into_inner()?).await?;
    upload.complete(clients).await
}

fn record(mut item: HashMap<String, AttributeValue>) -> Result<Record, Error> {
    let credit_cost = item.remove("credit_cost").and_then(|value| value.as_n().ok().cloned());
    Ok(Record { credit_cost, ..from_item(item)? })
}

fn writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new())
}

type Key = (String, String);

fn workbook_key(id: &str) -> Key {
    (format!("WORKBOOK#{id}"), "WORKBOOK".to_owned())
}

fn member_key(id: &str) -> String {
    format!("MEMBER#{id}")
}

fn write(
    csv: &mut csv::Writer<Vec<u8>>,
    organization: &str,
    workspace: &str,
    record: &Record,
    names: &HashMap<Key, Named>,
) -> Result<(), Error> {
    let (start, run_id) = record.sort_key.split_once('#').ok_or("no sort key")?;
    let workspace_record = &names[&(organization.to_owned(), format!("WORKSPACE#{workspace}"))];
    let workbook = &names[&workbook_key(&record.workbook_id)];
    let user = &names[&(organization.to_owned(), member_key(&record.user_id))];
    csv.write_record([
        workspace,
        &escape_formula(&workspace_record.name),
        &record.workbook_id,
        &escape_formula(&workbook.name),
        &workbook.created_ts,
        &record.user_id,
        &escape_formula(&user.name),
        run_id,
        record.credit_cost.as_deref().unwrap_or(""),
        start,
        record.finished_ts.as_deref().unwrap_or(""),
    ])?;
    Ok(())
}

/// Escapes a cell that a spreadsheet would run as a formula.
fn escape_formula(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text.into() }
}

/// Looks up the items with these keys. Gives an empty name to those that the directory does not have.
async fn load(clients: &Clients, names: &mut HashMap<Key, Named>, keys: BTreeSet<Key>) -> Result<(), Error> {
    let keys: Vec<_> = keys.into_iter().collect();
    for keys in keys.chunks(100) {
        let mut wanted = KeysAndAttributes::builder();
        for (partition_key, sort_key) in keys {
            wanted = wanted.keys(HashMap::from([
                ("PK".to_owned(), AttributeValue::S(partition_key.clone())),
                ("SK".to_owned(), AttributeValue::S(sort_key.clone())),
            ]));
        }
        let mut unprocessed = Some(HashMap::from([(clients.directory_table.clone(), wanted.build()?)]));
        while let Some(request) = unprocessed.filter(|keys| !keys.is_empty()) {
            let output = clients.dynamodb.batch_get_item().set_request_items(Some(request)).send().await?;
            for item in output.responses.unwrap_or_default().into_values().flatten() {
                let named: Named = from_item(item)?;
                names.insert((named.partition_key.clone(), named.sort_key.clone()), named);
            }
            unprocessed = output.unprocessed_keys;
        }
    }
    for key in keys {
        names.entry(key).or_default();
    }
    Ok(())
}

/// A multipart upload.
struct MultipartUpload<'a> {
    key: &'a str,
    upload_id: String,
    parts: Vec<CompletedPart>,
}

impl<'a> MultipartUpload<'a> {
    async fn begin(clients: &Clients, key: &'a str) -> Result<Self, Error> {
        let begin = clients.s3.create_multipart_upload().bucket(&clients.bucket).key(key);
        let output = begin.content_type("text/csv; charset=utf-8").send().await?;
        Ok(Self { key, upload_id: output.upload_id.ok_or("no upload id")?, parts: Vec::new() })
    }

    async fn send_part(&mut self, clients: &Clients, part: Vec<u8>) -> Result<(), Error> {
        let number = i32::try_from(self.parts.len() + 1)?;
        let send = clients.s3.upload_part().bucket(&clients.bucket).key(self.key).upload_id(&self.upload_id);
        let output = send.part_number(number).body(part.into()).send().await?;
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(output.e_tag)
            .set_checksum_crc32(output.checksum_crc32);
        self.parts.push(part.build());
        Ok(())
    }

    async fn complete(self, clients: &Clients) -> Result<(), Error> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts)).build();
        let complete = clients.s3.complete_multipart_upload().bucket(&clients.bucket).key(self.key);
        complete.upload_id(self.upload_id).multipart_upload(parts).send().await?;
        Ok(())
    }
}
