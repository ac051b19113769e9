//! Renders pages: answers of `Query` as DynamoDB sends them.

use std::collections::HashMap;
use std::fmt::Write as _;

use bytes::Bytes;
use seed::records::sort_key;

use super::runs::Run;

/// `Query` ends a page with the item that goes beyond 1 MB, counted in names and values, not as JSON.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
const PAGE_BYTES: usize = 1024 * 1024;
/// Attributes of an item, in the order in which they are rendered before a partition rotates them.
const ATTRIBUTES: [&str; 6] = ["credit_cost", "SK", "finished_ts", "PK", "workbook_id", "user_id"];

/// The attributes that a `ProjectionExpression` asks for, sorted; all of them if it is empty.
pub type Projection = Vec<String>;

/// Pages by partition key.
pub type Partitions = HashMap<String, Vec<Page>>;

/// An answer of `Query`.
#[derive(Clone)]
pub struct Page {
    /// The body as it is sent.
    pub body: Bytes,
    /// CRC-32 of the body, which the answer has in its header `x-amz-crc32`.
    pub crc32: u32,
    /// Sort key of its last item; empty if it has none.
    pub last: String,
}

impl Page {
    /// A page without items.
    pub fn empty() -> Self {
        Self::of(Bytes::from_static(b"{\"Items\":[],\"Count\":0,\"ScannedCount\":0}"), String::new())
    }

    fn of(body: Bytes, last: String) -> Self {
        Self { crc32: crc32fast::hash(&body), body, last }
    }
}

/// Renders all pages of a partition.
pub fn render(partition_key: &str, runs: impl Iterator<Item = Run>, projection: &Projection) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut runs = runs.peekable();
    let mut attributes = ATTRIBUTES.to_vec();
    // DynamoDB gives the members of an item in no particular order, so partitions have different ones.
    attributes.rotate_left(partition_key.bytes().map(usize::from).sum::<usize>() % ATTRIBUTES.len());
    while runs.peek().is_some() {
        let (mut items, mut count, mut size, mut last) = (String::new(), 0, 0, String::new());
        while size <= PAGE_BYTES {
            let Some(run) = runs.next() else { break };
            last = sort_key(&run.start, &run.id);
            items.push_str(if count > 0 { ",{" } else { "{" });
            size += write_item(&mut items, &run, partition_key, &attributes, projection);
            items.push('}');
            count += 1;
        }
        let next = if runs.peek().is_some() {
            format!(
                ",\"LastEvaluatedKey\":{{\"PK\":{{\"S\":\"{partition_key}\"}},\"SK\":{{\"S\":\"{last}\"}}}}"
            )
        } else {
            String::new()
        };
        let body = format!("{{\"Items\":[{items}],\"Count\":{count},\"ScannedCount\":{count}{next}}}");
        pages.push(Page::of(body.into(), last));
    }
    pages
}

/// Writes the members of an item. Returns the bytes that count for the limit of a page, which are those of all
/// attributes, whether the projection asks for them or not.
fn write_item(
    text: &mut String,
    run: &Run,
    partition_key: &str,
    attributes: &[&str],
    projection: &Projection,
) -> usize {
    let mut size = 0;
    let mut comma = "";
    for name in attributes {
        let Some((kind, value)) = attribute(run, name, partition_key) else { continue };
        size += name.len() + value.len();
        if projection.is_empty() || projection.iter().any(|wanted| wanted == name) {
            let _ = write!(text, "{comma}\"{name}\":{{\"{kind}\":\"{value}\"}}");
            comma = ",";
        }
    }
    size
}

/// Type and value of an attribute; `None` if the run does not have it. Nothing in the values needs an escape.
fn attribute(run: &Run, name: &str, partition_key: &str) -> Option<(&'static str, String)> {
    Some(match name {
        "PK" => ("S", partition_key.to_owned()),
        "SK" => ("S", sort_key(&run.start, &run.id)),
        "workbook_id" => ("S", run.workbook_id.clone()),
        "user_id" => ("S", run.user_id.clone()),
        "credit_cost" => ("N", run.credit_cost.clone()?),
        _ => ("S", run.finished_ts.clone()?),
    })
}
