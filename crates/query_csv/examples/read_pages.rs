//! Reads pages again and again and prints how many nanoseconds a row costs: what `cargo xtask bench --ablate` measures.
//!
//! The pages are as an export of eleven columns meets them: 1 MB each, with two joins of 4,000 and 2,000 ids. Rows are
//! kept until they make a part of 8 MiB, as in an upload, and their memory is released then.
//!
//! `cargo run --release -p query_csv --example read_pages [ROUNDS]`

use std::fmt::Write as _;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Instant;

use query_csv::{BufferPool, CellCache, Column, PageReader, RowLayout};

/// How many pages a round reads: their 24 MB do not fit the processor's caches.
const PAGES: usize = 24;
const ROWS_PER_PAGE: usize = 4_200;
/// How many bytes of an answer arrive together.
const FRAME_BYTES: usize = 400 * 1024;
const PART_BYTES: usize = 8 * 1024 * 1024;
const WORKBOOKS: u64 = 4_000;
const USERS: u64 = 2_000;

fn main() {
    let rounds = std::env::args().nth(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(15);
    let answers: Vec<_> = (0..PAGES).map(answer).collect();
    let layout = Arc::new(layout().expect("a layout"));
    let (cells, pool) = (Arc::new(CellCache::new(&layout)), Arc::new(BufferPool::default()));
    // The first round fills the cache and is not counted.
    let mut best = u128::MAX;
    for round in 0..=rounds {
        let start = Instant::now();
        let rows = read(&answers, &layout, &cells, &pool);
        let tenths = start.elapsed().as_nanos() * 10 / u128::from(rows);
        if round > 0 {
            best = best.min(tenths);
        }
    }
    println!("{}.{}", best / 10, best % 10);
}

/// Reads all answers; returns how many rows they have.
fn read(answers: &[String], layout: &Arc<RowLayout>, cells: &Arc<CellCache>, pool: &Arc<BufferPool>) -> u64 {
    let (mut rows, mut part, mut part_bytes) = (0, Vec::new(), 0);
    for answer in answers {
        let mut reader = PageReader::new(layout, cells, pool, &["wsp_01HV5Z7W3N8Q", "Sales, EU"], None);
        for frame in answer.as_bytes().chunks(FRAME_BYTES) {
            reader.feed(frame).expect("a frame");
        }
        let page = reader.finish().expect("a page");
        rows += page.counts.written;
        for join in 0..2 {
            for id in page.missing_ids(join, cells) {
                cells.insert(join, id, &[&format!("Name of {id}"), "2024-05-06T07:08:09.123Z"]);
            }
        }
        let text = page.into_rows(cells, pool).expect("rows");
        part_bytes += text.len();
        part.push(text);
        if part_bytes >= PART_BYTES {
            release(&mut part, pool);
            part_bytes = 0;
        }
    }
    release(&mut part, pool);
    rows
}

fn release(part: &mut Vec<Vec<u8>>, pool: &BufferPool) {
    for text in part.drain(..) {
        pool.release(text);
    }
}

fn layout() -> Result<RowLayout, query_csv::LayoutError> {
    let text = |name: &str| Column::Text(name.to_owned());
    let joined = |attribute: &str, value| Column::Joined { attribute: attribute.to_owned(), value };
    RowLayout::new(
        "SK",
        &[
            Column::Constant(0),
            Column::Constant(1),
            text("workbook_id"),
            joined("workbook_id", 0),
            joined("workbook_id", 1),
            text("user_id"),
            joined("user_id", 0),
            Column::SortKeyId,
            Column::Decimal("credit_cost".to_owned()),
            Column::SortKeyTime,
            Column::Timestamp("finished_ts".to_owned()),
        ],
    )?
    .sum_of("credit_cost")
}

/// One answer of `Query`. One record in a hundred lacks its cost or its end.
fn answer(page: usize) -> String {
    let mut items = String::new();
    for row in 0..ROWS_PER_PAGE {
        let index = (page * ROWS_PER_PAGE + row) as u64;
        let random = |salt: u64| BuildHasherDefault::<DefaultHasher>::default().hash_one((index, salt));
        let comma = if row > 0 { "," } else { "" };
        let (minute, second, milli) = (row / 60 % 60, row % 60, random(0) % 1000);
        let start = format!("2025-01-{:02}T{:02}:{minute:02}:{second:02}.{milli:03}Z", 1 + page, row / 3600);
        let _ =
            write!(items, r#"{comma}{{"SK":{{"S":"{start}#run_{:016x}{:06x}"}}"#, random(1), random(2) >> 40);
        let _ = write!(items, r#","workbook_id":{{"S":"wbk_{:020x}"}}"#, random(3) % WORKBOOKS);
        let _ = write!(items, r#","user_id":{{"S":"usr_{:020x}"}}"#, random(4) % USERS);
        if random(5) % 100 > 0 {
            let _ =
                write!(items, r#","credit_cost":{{"N":"{}.{:04}"}}"#, random(6) % 40, 1 + random(7) % 9999);
        }
        if random(8) % 100 > 0 {
            let _ = write!(items, r#","finished_ts":{{"S":"2025-01-31T23:{minute:02}:{second:02}.000Z"}}"#);
        }
        items.push('}');
    }
    format!(r#"{{"Count":{ROWS_PER_PAGE},"Items":[{items}],"ScannedCount":{ROWS_PER_PAGE}}}"#)
}
