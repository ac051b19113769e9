//! A usage record that ends an export, and what is said of it. `docs/adr/0021-a-bad-record-ends-an-export.md` has the rules.

use std::fmt;

use aws_sdk_dynamodb::Client;
use usage_export::dynamo::{Item, text};
use usage_export::usage::Month;
use usage_export::wording::one_line;

use crate::partition::Partition;

/// A usage record of which no right row can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BadRecord {
    /// The id of the workspace in whose partition it is stored.
    pub workspace_id: String,
    /// The workspace's last known name; empty if the directory does not know it.
    pub workspace_name: String,
    /// The month of the partition.
    pub month: Month,
    /// Its sort key, or the beginning of it: all of it that is known.
    pub sort_key: String,
    /// The workbook that ran, if that could be read.
    pub workbook_id: Option<String>,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a usage record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A value is not what its column needs: which, without the value.
    Unreadable(String),
    /// Its run did not start in the month of its partition. It would be in the files of some intervals and not in others.
    OtherMonth,
}

/// For the log: ids, and no names.
impl fmt::Display for BadRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { workspace_id, month, sort_key, workbook_id, fault, .. } = self;
        let reason = match fault {
            Fault::Unreadable(reason) => reason,
            Fault::OtherMonth => "its run started in another month",
        };
        let workbook = workbook_id.as_deref().unwrap_or("unknown");
        write!(
            formatter,
            "usage record {sort_key} (workspace {workspace_id}, month {month}, workbook {workbook}) cannot be read: {reason}"
        )
    }
}

impl BadRecord {
    /// For the export owner: something to pass on to whoever can repair the record. What exactly is wrong is in the log.
    pub fn to_owner(&self) -> String {
        let workspace = match self.workspace_name.as_str() {
            "" => self.workspace_id.clone(),
            name => format!("{} ({})", one_line(name), self.workspace_id),
        };
        let fault = match self.fault {
            Fault::Unreadable(_) => "A stored usage record could not be read",
            Fault::OtherMonth => "A usage record is stored under another month than its run started in",
        };
        format!(
            "{fault}, so the file would have been wrong. Please pass this on to whoever runs the system: workspace {workspace}, \
             month {}, record {}.",
            self.month,
            // As it is, so that it can be copied.
            self.sort_key.escape_debug()
        )
    }
}

impl BadRecord {
    /// The record of a partition whose sort key begins like this. It is read once more, for its whole key and its workbook; if
    /// that fails, only what is known is told.
    pub(crate) async fn look_up(
        client: &Client,
        table: &str,
        partition: &Partition,
        sort_key: &str,
        fault: Fault,
    ) -> Self {
        let item = find(client, table, &partition.partition_key, sort_key).await.unwrap_or_default();
        let string = |name| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        Self {
            workspace_id: partition.workspace_id.clone(),
            workspace_name: partition.workspace_name.clone(),
            month: partition.month,
            sort_key: string("SK").unwrap_or_else(|| sort_key.to_owned()),
            workbook_id: string("workbook_id"),
            fault,
        }
    }
}

/// Keys and workbook of the first record of a partition whose sort key begins like this.
async fn find(client: &Client, table: &str, partition_key: &str, sort_key: &str) -> Option<Item> {
    let output = client
        .query()
        .table_name(table)
        .key_condition_expression("PK = :pk AND begins_with(SK, :sk)")
        .expression_attribute_values(":pk", text(partition_key))
        .expression_attribute_values(":sk", text(sort_key))
        .projection_expression("SK, workbook_id")
        .consistent_read(true)
        .limit(1)
        .send()
        .await;
    output.ok()?.items?.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_gets_what_the_operator_needs_and_the_log_no_name() {
        let mut bad = BadRecord {
            workspace_id: "wsp_1".to_owned(),
            workspace_name: "Sales\r\n\u{202e}EU".to_owned(),
            month: "2025-01".parse().unwrap(),
            sort_key: "2025-01-02T09:00:00.000Z#run_2".to_owned(),
            workbook_id: Some("wbk_1".to_owned()),
            fault: Fault::Unreadable("credit_cost is not a number".to_owned()),
        };
        assert!(
            bad.to_owner().ends_with(
                "workspace \u{2068}Sales EU\u{2069} (wsp_1), month 2025-01, \
                 record 2025-01-02T09:00:00.000Z#run_2."
            ),
            "{}",
            bad.to_owner()
        );
        assert_eq!(
            bad.to_string(),
            "usage record 2025-01-02T09:00:00.000Z#run_2 (workspace wsp_1, month 2025-01, workbook wbk_1) cannot be read: \
             credit_cost is not a number"
        );
        (bad.workspace_name, bad.workbook_id) = (String::new(), None);
        assert!(bad.to_owner().contains("workspace wsp_1, month"));
        assert!(bad.to_string().contains("workbook unknown"));
    }
}
