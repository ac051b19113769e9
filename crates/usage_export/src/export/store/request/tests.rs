use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_mocks::{Rule, mock, mock_client};
use chrono::DateTime;
use serde_json::json;

use super::*;
use crate::export::tests::export_at;

fn ids(workspaces: &[&str], workbooks: &[&str]) -> NamedIds {
    let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    NamedIds { workspace_ids: set(workspaces), entity_ids: set(workbooks) }
}

/// An export of two workspaces and a workbook, as it is read from the table.
fn export() -> DataExport {
    let mut export = export_at(DateTime::from_timestamp(1_763_900_000, 0).unwrap());
    export.request.scope = serde_json::from_value(json!({
        "all_workspaces": false, "personal_workspaces": false, "workspace_count": 2, "workbook_count": 1,
    }))
    .unwrap();
    export
}

async fn read(rules: &[&Rule], export: &DataExport) -> Result<Option<NamedIds>, AwsError> {
    let exports = Exports::new(mock_client!(aws_sdk_dynamodb, rules), "exports".to_owned());
    exports.named_ids(export).await
}

fn gets(export: &DataExport, ids: Option<&NamedIds>) -> Rule {
    let key = text(format!("REQUEST#{}", export.data_export_id));
    let item: Option<Item> = ids.map(|ids| serde_dynamo::aws_sdk_dynamodb_1::to_item(ids).unwrap());
    mock!(Client::get_item)
        .match_requests(move |request| {
            request.key().unwrap()["data_export_id"] == key && request.consistent_read() == Some(true)
        })
        .then_output(move || GetItemOutput::builder().set_item(item.clone()).build())
}

#[tokio::test]
async fn ids_are_read_from_their_item() {
    let (export, ids) = (export(), ids(&["wsp_1", "wsp_2"], &["wbk_1"]));
    assert_eq!(read(&[&gets(&export, Some(&ids))], &export).await.unwrap(), Some(ids));
}

#[tokio::test]
async fn ids_that_are_gone_are_not_no_ids() {
    let export = export();
    assert_eq!(read(&[&gets(&export, None)], &export).await.unwrap(), None);
    for wrong in [ids(&[], &[]), ids(&["wsp_1"], &["wbk_1"]), ids(&["wsp_1", "wsp_2"], &[])] {
        let error = read(&[&gets(&export, Some(&wrong))], &export).await.unwrap_err();
        assert!(error.is_permanent(), "{error}");
    }
}

#[tokio::test]
async fn a_request_without_ids_is_not_read() {
    let export = export_at(DateTime::from_timestamp(1_763_900_000, 0).unwrap());
    assert_eq!(read(&[], &export).await.unwrap(), Some(NamedIds::default()));
    let exports = Exports::new(mock_client!(aws_sdk_dynamodb, []), "exports".to_owned());
    assert!(exports.put_named_ids(&export).unwrap().is_none());
}

#[tokio::test]
async fn a_new_export_puts_the_ids_beside_its_record() {
    let mut export = export();
    export.request.scope.ids = Some(ids(&["wsp_1", "wsp_2"], &["wbk_1"]));
    let exports = Exports::new(mock_client!(aws_sdk_dynamodb, []), "exports".to_owned());
    let put = exports.put_named_ids(&export).unwrap().unwrap();
    let put = put.put().unwrap();
    assert_eq!(put.condition_expression(), Some("attribute_not_exists(data_export_id)"));
    assert_eq!(put.item()["data_export_id"], text(format!("REQUEST#{}", export.data_export_id)));
    assert_eq!(put.item()["entity_ids"], AttributeValue::L(vec![text("wbk_1")]));
    assert_eq!(put.item()["ttl"], number(export.ttl));
    let record: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(&export).unwrap();
    let scope = record["request"].as_m().unwrap()["scope"].as_m().unwrap();
    assert_eq!(scope["workspace_count"], number(2));
    assert!(!scope.contains_key("workspace_ids"), "{scope:?}");
}
