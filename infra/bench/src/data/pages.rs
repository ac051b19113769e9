//! Partitions of the table of usage records: the items as JSON, and the pages that `Query` makes of them.
//!
//! The items of a partition lie side by side in memory as they stand in an answer, so a page of any range is a slice of
//! them: ten million rows need some 2 GB, and an answer costs the server its CRC-32 at most.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use seed::records::sort_key;

use super::runs::Run;

/// `Query` reads at most 1 MB, counted in names and values, not as JSON. An item that goes beyond is left to the next page.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
const PAGE_BYTES: u64 = 1024 * 1024;
/// Attributes of an item, in the order in which they are rendered before a partition rotates them.
const ATTRIBUTES: [&str; 6] = ["credit_cost", "SK", "finished_ts", "PK", "workbook_id", "user_id"];
/// What stands before the sort key in an item.
const BEFORE_SORT_KEY: &str = "\"SK\":{\"S\":\"";

/// The attributes that a `ProjectionExpression` asks for, sorted; all of them if it is empty.
pub type Projection = Vec<String>;

/// Partitions by their keys. Partitions may share one `Partition`.
pub type Partitions = HashMap<String, Arc<Partition>>;

/// The items that a `Query` asks for, of one partition.
#[derive(Debug, Clone, Default)]
pub struct KeyRange {
    /// Sort keys are at least this.
    pub first: Option<String>,
    /// Sort keys are at most this.
    pub last: Option<String>,
    /// Sort keys are greater than this. It need not be that of an item.
    pub after: Option<String>,
    /// How many items are read at most.
    pub limit: Option<usize>,
}

/// What `Query` reads at once.
#[derive(Debug, Clone)]
pub struct Page {
    /// The items, separated by commas.
    pub items: Bytes,
    /// CRC-32 of these bytes.
    pub crc32: u32,
    /// How many items they are.
    pub count: usize,
    /// Size of the items as DynamoDB counts them.
    pub size: u64,
    /// Sort key of the last item, if the range may have more.
    pub last: Option<String>,
}

/// The items of a partition, in the order of their sort keys.
#[derive(Debug, Default)]
pub struct Partition {
    items: Bytes,
    /// Where each item begins, and where one after the last would.
    starts: Vec<usize>,
    /// The size of all items before each one, and of all.
    sizes: Vec<u64>,
    /// Checksums of the pages that were asked for: the same ones, run after run.
    checksums: Mutex<HashMap<(usize, usize), u32>>,
}

impl Partition {
    /// Renders the items with these attributes. The sort key is always among them, because pages are found by it.
    pub fn render(partition_key: &str, runs: impl Iterator<Item = Run>, projection: &Projection) -> Self {
        let mut attributes = ATTRIBUTES.to_vec();
        // DynamoDB gives the members of an item in no particular order, so partitions have different ones.
        attributes.rotate_left(partition_key.bytes().map(usize::from).sum::<usize>() % ATTRIBUTES.len());
        let (mut items, mut size) = (String::new(), 0);
        let (mut starts, mut sizes) = (vec![0], vec![0]);
        for run in runs {
            items.push_str(if items.is_empty() { "{" } else { ",{" });
            size += write_item(&mut items, &run, partition_key, &attributes, projection);
            items.push('}');
            starts.push(items.len() + 1);
            sizes.push(size);
        }
        // With hundreds of partitions, what growing has left over is much.
        items.shrink_to_fit();
        starts.shrink_to_fit();
        sizes.shrink_to_fit();
        Self { items: items.into(), starts, sizes, checksums: Mutex::default() }
    }

    /// Size of all items as DynamoDB counts them.
    pub fn size(&self) -> u64 {
        self.sizes.last().copied().unwrap_or(0)
    }

    /// How many bytes they are in answers.
    pub fn json_bytes(&self) -> u64 {
        self.items.len() as u64
    }

    /// The next page of this range.
    pub fn page(&self, range: &KeyRange) -> Page {
        let from = range.first.as_ref().map_or(0, |first| self.place(|key| key < first.as_str()));
        let from =
            range.after.as_ref().map_or(from, |after| from.max(self.place(|key| key <= after.as_str())));
        let end = range.last.as_ref().map_or(self.len(), |last| self.place(|key| key <= last.as_str()));
        if from >= end {
            return Page { items: Bytes::new(), crc32: 0, count: 0, size: 0, last: None };
        }
        let fits = self.sizes.partition_point(|size| *size <= self.sizes[from] + PAGE_BYTES) - 1;
        let limited = range.limit.map_or(end, |limit| end.min(from + limit));
        let to = fits.clamp(from + 1, limited.max(from + 1));
        // As DynamoDB does it: whoever stops at the limit has not seen that nothing follows.
        let may_have_more = to < end || range.limit == Some(to - from);
        Page {
            items: self.items.slice(self.starts[from]..self.starts[to] - 1),
            crc32: self.checksum(from, to),
            count: to - from,
            size: self.sizes[to] - self.sizes[from],
            last: may_have_more.then(|| self.sort_key(to - 1).to_owned()),
        }
    }

    fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The place of the first item whose sort key does not come before.
    fn place(&self, comes_before: impl Fn(&str) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if comes_before(self.sort_key(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn sort_key(&self, index: usize) -> &str {
        let item = &self.items[self.starts[index]..self.starts[index + 1] - 1];
        let item = std::str::from_utf8(item).expect("rendered as text");
        let (_, rest) = item.split_once(BEFORE_SORT_KEY).expect("every item has its sort key");
        rest.split('"').next().unwrap_or("")
    }

    fn checksum(&self, from: usize, to: usize) -> u32 {
        let mut checksums = self.checksums.lock().unwrap_or_else(PoisonError::into_inner);
        let items = &self.items[self.starts[from]..self.starts[to] - 1];
        *checksums.entry((from, to)).or_insert_with(|| crc32fast::hash(items))
    }
}

/// Writes the members of an item. Returns its size, which is that of all attributes, whether the projection asks for them
/// or not.
fn write_item(
    text: &mut String,
    run: &Run,
    partition_key: &str,
    attributes: &[&str],
    projection: &Projection,
) -> u64 {
    let mut size = 0;
    let mut comma = "";
    for name in attributes {
        let Some((kind, value)) = attribute(run, name, partition_key) else { continue };
        size += (name.len() + value_size(kind, &value)) as u64;
        if projection.is_empty() || *name == "SK" || projection.iter().any(|wanted| wanted == name) {
            let _ = write!(text, "{comma}\"{name}\":{{\"{kind}\":\"{value}\"}}");
            comma = ",";
        }
    }
    size
}

/// The size of a value: UTF-8 bytes of a text, and of a number about a byte for two digits and one more.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn value_size(kind: &str, value: &str) -> usize {
    if kind == "N" { value.bytes().filter(u8::is_ascii_digit).count().div_ceil(2) + 1 } else { value.len() }
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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::Value;

    use super::*;
    use crate::data::directory::Directory;
    use crate::data::runs;

    /// 12,000 rows are about 2.4 MB, which are three pages.
    const ROWS: usize = 12_000;

    fn partition() -> Partition {
        let month: DateTime<Utc> = "2025-01-01T00:00:00Z".parse().unwrap();
        let directory = Directory::generate(1);
        let runs = runs::of_partition(0, month, ROWS, &directory);
        Partition::render("wsp#2025-01", runs, &Projection::new())
    }

    fn keys(page: &Page) -> Vec<String> {
        let text = format!("[{}]", String::from_utf8_lossy(&page.items));
        let items: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(items.len(), page.count);
        assert_eq!(crc32fast::hash(&page.items), page.crc32);
        items.iter().map(|item| item["SK"]["S"].as_str().unwrap().to_owned()).collect()
    }

    fn read(partition: &Partition, mut range: KeyRange) -> (Vec<String>, usize) {
        let (mut all, mut pages) = (Vec::new(), 0);
        loop {
            let page = partition.page(&range);
            all.extend(keys(&page));
            pages += 1;
            range.after = page.last;
            if range.after.is_none() {
                return (all, pages);
            }
        }
    }

    #[test]
    fn pages_follow_each_other_and_none_goes_beyond_its_size() {
        let partition = partition();
        let (all, pages) = read(&partition, KeyRange::default());
        assert_eq!((all.len(), pages), (ROWS, 3));
        assert!(all.is_sorted());
        let first = partition.page(&KeyRange::default());
        assert!((PAGE_BYTES - 300..=PAGE_BYTES).contains(&first.size), "{}", first.size);
    }

    #[test]
    fn bounds_include_the_items_that_they_name() {
        let partition = partition();
        let (all, _) = read(&partition, KeyRange::default());
        let (first, last) = (Some(all[5000].clone()), Some(all[11_000].clone()));
        let range = KeyRange { first: first.clone(), last: last.clone(), ..KeyRange::default() };
        assert_eq!(read(&partition, range).0, all[5000..=11_000]);
        assert_eq!(read(&partition, KeyRange { first, ..KeyRange::default() }).0, all[5000..]);
        assert_eq!(read(&partition, KeyRange { last, ..KeyRange::default() }).0, all[..=11_000]);
    }

    #[test]
    fn a_range_may_start_after_a_key_that_no_item_has() {
        let partition = partition();
        let (all, _) = read(&partition, KeyRange::default());
        // `$` comes after the `#` behind the instant, and `!` before it.
        for (suffix, expected) in [("$", 8001), ("!", 8000)] {
            let after = format!("{}{suffix}", &all[8000][..24]);
            let range = KeyRange { after: Some(after), ..KeyRange::default() };
            assert_eq!(read(&partition, range).0, all[expected..]);
        }
        let behind_all = KeyRange { after: Some("~".to_owned()), ..KeyRange::default() };
        assert_eq!(partition.page(&behind_all).count, 0);
    }

    #[test]
    fn a_page_that_ends_at_its_limit_may_have_more() {
        let partition = partition();
        let range = KeyRange { limit: Some(100), ..KeyRange::default() };
        let page = partition.page(&range);
        assert_eq!((page.count, page.last.is_some()), (100, true));
    }
}
