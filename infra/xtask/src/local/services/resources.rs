//! The tables, the bucket and the queues of the stack, made again in another service as the emulator describes them.

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{BillingMode, GlobalSecondaryIndex, TableDescription};
use aws_sdk_sqs::types::QueueAttributeName as Attribute;

use crate::local::outputs::Tables;

/// What the template gives queues.
const ATTRIBUTES: [Attribute; 3] =
    [Attribute::VisibilityTimeout, Attribute::MessageRetentionPeriod, Attribute::RedrivePolicy];

pub(super) async fn make_tables(emulator: &SdkConfig, url: &str, tables: &Tables) -> Result<()> {
    let emulator_client = aws_sdk_dynamodb::Client::new(emulator);
    let client = aws_sdk_dynamodb::Client::new(&at(emulator, url));
    for name in [&tables.usage_records, &tables.directory, &tables.exports, &tables.audit] {
        let described = emulator_client.describe_table().table_name(name).send().await?;
        let table = described.table.with_context(|| format!("there is no table {name}"))?;
        make_table(&client, name, table).await?;
    }
    Ok(())
}

async fn make_table(client: &aws_sdk_dynamodb::Client, name: &str, table: TableDescription) -> Result<()> {
    let indexes = table.global_secondary_indexes.unwrap_or_default().into_iter().map(|index| {
        GlobalSecondaryIndex::builder()
            .set_index_name(index.index_name)
            .set_key_schema(index.key_schema)
            .set_projection(index.projection)
            .build()
    });
    let indexes = indexes.collect::<Result<Vec<_>, _>>()?;
    // A server that somebody else has started may have that of an earlier system, whose names were the same.
    let _ = client.delete_table().table_name(name).send().await;
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(table.attribute_definitions)
        .set_key_schema(table.key_schema)
        .set_global_secondary_indexes(Some(indexes).filter(|indexes| !indexes.is_empty()))
        .send()
        .await
        .with_context(|| format!("the table {name} cannot be made"))?;
    Ok(())
}

pub(super) async fn make_bucket(emulator: &SdkConfig, url: &str, name: &str) -> Result<()> {
    let client = aws_sdk_s3::Client::new(&at(emulator, url));
    let sent = client.create_bucket().bucket(name).send().await;
    sent.with_context(|| format!("the bucket {name} cannot be made"))?;
    Ok(())
}

pub(super) async fn make_queue(emulator: &SdkConfig, url: &str, queue_url: &str) -> Result<()> {
    let described = aws_sdk_sqs::Client::new(emulator)
        .get_queue_attributes()
        .queue_url(queue_url)
        .attribute_names(Attribute::All)
        .send()
        .await?;
    let mut attributes = described.attributes.unwrap_or_default();
    attributes.retain(|name, _| ATTRIBUTES.contains(name));
    let name = queue_url.rsplit('/').next().unwrap_or_default();
    let client = aws_sdk_sqs::Client::new(&at(emulator, url));
    let sent = client.create_queue().queue_name(name).set_attributes(Some(attributes)).send().await;
    sent.with_context(|| format!("the queue {name} cannot be made"))?;
    Ok(())
}

/// The same clients, at another URL.
pub(super) fn at(emulator: &SdkConfig, url: &str) -> SdkConfig {
    emulator.to_builder().endpoint_url(url).build()
}
