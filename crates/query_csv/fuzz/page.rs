//! Any bytes as an answer to `Query`: they are read the same however they are cut into frames, nothing panics, and
//! rows are those of the records as `serde_json` reads them.

#![no_main]

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use export_worker::columns::Columns;
use export_worker::rows::{RowWriter, Rows};
use export_worker::scan::Scan;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use usage_export::dynamo::Item;
use usage_export::usage::FIELDS;

fuzz_target!(|answer: &[u8]| {
    let whole = scanned(answer, answer.len().max(1));
    for frame_size in [1, 7, 100] {
        assert_eq!(whole, scanned(answer, frame_size), "in frames of {frame_size}");
    }
    // Of names that come twice serde_json takes the last; most such answers are refused.
    if let (Some(rows), Some(items)) = (whole, items(answer)) {
        assert_eq!(rows, written(&items));
    }
});

/// The rows, or why a record cannot be written; `None` if the answer is no page.
fn scanned(answer: &[u8], frame_size: usize) -> Option<Result<Rows, String>> {
    let mut scan = Scan::new(writer(), None);
    answer.chunks(frame_size).try_for_each(|frame| scan.feed(frame)).ok()?;
    scan.end().ok()?;
    Some(scan.rows().map_err(|error| error.to_string()))
}

fn written(items: &[Item]) -> Result<Rows, String> {
    writer().rows_of(items).map_err(|error| error.to_string())
}

fn writer() -> RowWriter {
    let names = [("wsp_1".to_owned(), "Sales, EU".to_owned())].into();
    let columns = Columns::new(&FIELDS.map(|info| info.field), names, &BTreeSet::new());
    RowWriter::new(Arc::new(columns), "wsp_1", 0)
}

/// The records of a page, if it is one.
fn items(answer: &[u8]) -> Option<Vec<Item>> {
    let page: Map<String, Value> = serde_json::from_slice(answer).ok()?;
    page.get("Items")?.as_array()?.iter().map(item).collect()
}

fn item(item: &Value) -> Option<Item> {
    item.as_object()?.iter().map(|(name, value)| Some((name.clone(), attribute(value)?))).collect()
}

/// A value; `None` if DynamoDB would not send it.
fn attribute(value: &Value) -> Option<AttributeValue> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let (kind, value) = members.iter().next()?;
    Some(match kind.as_str() {
        "S" => AttributeValue::S(value.as_str()?.to_owned()),
        "N" => AttributeValue::N(value.as_str()?.to_owned()),
        "NULL" => AttributeValue::Null(value.as_bool()?),
        _ => AttributeValue::Bool(true),
    })
}
