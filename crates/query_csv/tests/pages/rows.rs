//! Answers become the rows that the oracle expects, whatever the layout and the frames.

use proptest::prelude::*;
use query_csv::{Column, PageError, RowLayout};
use serde_json::Value;

use crate::layouts::{calls, decimal, joined, layout, layout_with_sum, ledger, text, timestamp};
use crate::oracle;
use crate::random_answers::answer;
use crate::reading::File;

/// Some columns of a layout, in any order.
fn some_columns() -> impl Strategy<Value = Vec<Column>> {
    prop_oneof![Just(calls()), Just(ledger())].prop_flat_map(|columns| {
        let count = columns.len();
        proptest::sample::subsequence(columns, 1..=count).prop_shuffle()
    })
}

/// Cuts bytes into frames of these sizes, again and again.
fn frames<'a>(bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let mut frames = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (frame, after) = rest.split_at((*size).min(rest.len()));
        frames.push(frame);
        rest = after;
    }
    frames
}

proptest! {
    #[test]
    fn rows_are_those_of_the_oracle(
        answers in proptest::collection::vec(answer(), 1..3),
        sizes in prop_oneof![Just(vec![1]), proptest::collection::vec(1_usize..200, 1..8), Just(vec![1 << 20])],
        columns in some_columns(),
        summed in prop_oneof![Just("price"), Just("amount"), Just("balance")],
    ) {
        let mut file = File::of(layout_with_sum(&columns, summed));
        for answer in &answers {
            let parsed: Value = serde_json::from_str(answer).expect("JSON");
            let crc32 = Some(crc32fast::hash(answer.as_bytes()));
            let expected = oracle::rows(&parsed, &columns).zip(oracle::sum(&parsed, summed));
            match (file.page(frames(answer.as_bytes(), &sizes), crc32), expected) {
                (Ok(page), Some((expected, sum))) => {
                    prop_assert_eq!(page.sum.to_string(), sum);
                    let lacking = file.layout.attributes().map(|attribute| oracle::lacking(&parsed, attribute));
                    prop_assert_eq!(&page.lacking, &lacking.collect::<Vec<_>>());
                    prop_assert_eq!(&page.times, &oracle::times(&parsed));
                    prop_assert_eq!(page.counts.written, parsed["Items"].as_array().expect("items").len() as u64);
                    let mut envelope: Value = serde_json::from_slice(&page.envelope).expect("JSON");
                    envelope["Items"] = parsed["Items"].clone();
                    prop_assert_eq!(envelope, parsed);
                    prop_assert_eq!(file.complete(page), expected);
                }
                (Err(PageError::Record(_)), None) => {}
                (page, expected) => prop_assert!(false, "{page:?} instead of {expected:?}"),
            }
        }
    }
}

const TWO_RECORDS: &str = r#"{"Count":2,"Items":[
    {"SK":{"S":"2025-01-31T09:30:00.000Z#a"},"machine_id":{"S":"m_1"},"price":{"N":"1.50"},"note":{"S":"=1"}},
    {"SK":{"S":"2025-01-31T09:30:00.001Z#b"},"machine_id":{"S":"m_2"},"ended":{"S":"2025-01-31T10:00:00.000Z"}}
],"ScannedCount":2}"#;

fn rows_of(columns: &[Column]) -> String {
    File::new(columns).rows(TWO_RECORDS).expect("a page").0
}

#[test]
fn every_kind_of_column_is_written() {
    assert_eq!(
        rows_of(&calls()),
        "place_1,\"Sales, \"\"EU\"\"\",m_1,machine_id of m_1,\"\"\"m_1\"\", again\",,,a,1.50,2025-01-31T09:30:00.000Z,\r\n\
         place_1,\"Sales, \"\"EU\"\"\",m_2,machine_id of m_2,\"\"\"m_2\"\", again\",,,b,,2025-01-31T09:30:00.001Z,\
         2025-01-31T10:00:00.000Z\r\n"
    );
}

#[test]
fn an_id_in_two_groups_is_joined_in_both() {
    let columns = [joined("machine_id", 0), Column::SortKeyId, joined("machine_id", 1), text("machine_id")];
    assert_eq!(
        rows_of(&columns),
        "machine_id of m_1,a,\"\"\"m_1\"\", again\",m_1\r\nmachine_id of m_2,b,\"\"\"m_2\"\", again\",m_2\r\n"
    );
}

/// Otherwise it would be an empty line, which readers of CSV skip.
#[test]
fn a_row_of_one_empty_cell_has_quotes() {
    for column in
        [text("absent"), decimal("absent"), timestamp("absent"), joined("absent", 0), Column::Constant(9)]
    {
        assert_eq!(rows_of(std::slice::from_ref(&column)), "\"\"\r\n\"\"\r\n", "{column:?}");
    }
    let nothing_known = File::new(&[joined("machine_id", 0)]);
    let page = nothing_known.page([TWO_RECORDS.as_bytes()], None).expect("a page");
    for id in page.missing_ids(0, &nothing_known.cells) {
        nothing_known.cells.insert(0, id, &[]);
    }
    let rows = page.into_rows(&nothing_known.cells, &nothing_known.pool).expect("rows");
    assert_eq!(rows, b"\"\"\r\n\"\"\r\n");
}

#[test]
fn records_of_other_ids_are_left_out_and_counted() {
    let only = RowLayout::clone(&layout(&[Column::SortKeyId]));
    let only = only.only("machine_id", ["m_2".to_owned(), "m_3".to_owned()]).expect("a layout");
    assert_eq!(only.attributes().collect::<Vec<_>>(), ["SK", "machine_id"]);
    let (rows, counts) = File::of(only.into()).rows(TWO_RECORDS).expect("a page");
    assert_eq!((rows.as_str(), counts.written, counts.left_out), ("b\r\n", 1, 1));
}

#[test]
fn rows_that_lack_an_attribute_are_counted() {
    let nothing = r#"{"SK":{"S":"2025-01-31T09:30:00.002Z#c"},"machine_id":{"S":""},"price":{"NULL":true}}"#;
    let answer = TWO_RECORDS.replace("\n],", &format!(",{nothing}\n],"));
    let columns = [text("machine_id"), joined("person_id", 0), decimal("price"), timestamp("ended")];
    let page = File::new(&columns).page([answer.as_bytes()], None).expect("a page");
    assert_eq!((page.counts.written, page.lacking), (3, vec![0, 1, 3, 2, 2]));
    // The second and the third are left out.
    let only = RowLayout::clone(&layout(&columns)).only("machine_id", ["m_1".to_owned()]).expect("a layout");
    let page = File::of(only.into()).page([answer.as_bytes()], None).expect("a page");
    assert_eq!((page.counts.written, page.lacking), (1, vec![0, 0, 1, 0, 1]));
}

#[test]
fn an_escaped_name_is_the_same_name() {
    let answer = TWO_RECORDS.replace("machine_id", r"machine\u005fid");
    let (rows, _) = File::new(&[text("machine_id")]).rows(&answer).expect("a page");
    assert_eq!(rows, "m_1\r\nm_2\r\n");
}

#[test]
fn a_record_that_cannot_be_written_is_named_without_its_value() {
    for (column, reason) in [
        (decimal("machine_id"), "machine_id is not a number"),
        (text("price"), "price is not a string"),
        (timestamp("machine_id"), "machine_id is not an ISO 8601 UTC time with milliseconds"),
    ] {
        let error = File::new(&[column]).rows(TWO_RECORDS).expect_err("a wrong type").to_string();
        assert_eq!(error, format!("the record 2025-01-31T09:30:00.000Z#a: {reason}"));
    }
    let answer = TWO_RECORDS.replace("2025-01-31T09:30:00.001Z#b", "yesterday#b");
    let error = File::new(&[text("price")]).rows(&answer).expect_err("no sort key").to_string();
    // The record before it has a price that is a number.
    assert!(error.contains("09:30:00.000Z#a"), "{error}");
    let error = File::new(&[text("machine_id")]).rows(&answer).expect_err("no sort key").to_string();
    assert_eq!(error, "the record yesterday#b: SK is not a time, # and an id");
}

#[test]
fn a_leap_second_is_not_a_time() {
    // The random tests and the fuzz target compare with chrono, which reads second 60 unless told otherwise.
    let answer = TWO_RECORDS.replace("09:30:00.001Z#b", "09:30:60.000Z#b");
    let error = File::new(&[text("machine_id")]).rows(&answer).expect_err("a leap second").to_string();
    assert_eq!(error, "the record 2025-01-31T09:30:60.000Z#b: SK is not a time, # and an id");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(oracle::rows(&answer, &[text("machine_id")]), None);
}

#[test]
fn a_number_has_one_point() {
    // Found by fuzzing: the oracle took the second point for the end of the digits.
    for number in ["-.2.E5", "1.2.3", ".E5"] {
        let answer = format!(
            r#"{{"Items":[{{"SK":{{"S":"2025-01-31T09:30:00.000Z#a"}},"price":{{"N":"{number}"}}}}],"Count":1,"ScannedCount":1}}"#
        );
        let error = File::new(&[decimal("price")]).rows(&answer).expect_err(number).to_string();
        assert_eq!(error, "the record 2025-01-31T09:30:00.000Z#a: price is not a decimal number");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(oracle::rows(&answer, &[decimal("price")]), None, "{number}");
    }
}
