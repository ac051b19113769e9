//! Sums of a column.

use query_csv::{Column, DecimalSum, LayoutError, RowLayout};

use crate::layouts::{decimal, layout_with_sum, text};
use crate::reading::File;

/// An answer with a record for each of these values of `price`, each with a machine of its own.
fn answer(prices: &[&str]) -> String {
    let record = |(index, price): (usize, &&str)| {
        format!(
            r#"{{"SK":{{"S":"2025-01-31T09:30:00.000Z#{index}"}},"machine_id":{{"S":"m_{index}"}},"price":{price}}}"#
        )
    };
    let records: Vec<_> = prices.iter().enumerate().map(record).collect();
    format!(r#"{{"Count":{0},"Items":[{1}],"ScannedCount":{0}}}"#, records.len(), records.join(","))
}

fn sum(layout: RowLayout, prices: &[&str]) -> DecimalSum {
    let answer = answer(prices);
    File::of(layout.into()).page([answer.as_bytes()], None).expect("a page").sum
}

fn sum_of_price(columns: &[Column], prices: &[&str]) -> String {
    sum(RowLayout::clone(&layout_with_sum(columns, "price")), prices).to_string()
}

#[test]
fn the_largest_and_the_smallest_numbers_of_dynamodb_are_summed_exactly() {
    let largest = r#"{"N":"9.9999999999999999999999999999999999999E+125"}"#;
    let smallest = r#"{"N":"1E-130"}"#;
    let sum = sum_of_price(&[decimal("price")], &[largest, smallest, r#"{"N":"0.1"}"#, largest]);
    let expected = format!("1{}8{}.1{}1", "9".repeat(37), "0".repeat(88), "0".repeat(128));
    assert_eq!(sum, expected);
}

#[test]
fn numbers_of_any_scale_and_sign_cancel_out() {
    let numbers = [
        r#"{"N":"999999999999999999"}"#,
        r#"{"N":"-999999999999999999"}"#,
        r#"{"N":"0.1"}"#,
        r#"{"N":"0.20"}"#,
        r#"{"N":"-0.3"}"#,
        r#"{"N":"-1000000000000000000.00000001"}"#,
        r#"{"N":"1000000000000000000.00000001"}"#,
        r#"{"N":"-0"}"#,
    ];
    assert_eq!(sum_of_price(&[decimal("price")], &numbers), "0");
}

#[test]
fn a_record_that_lacks_the_number_adds_nothing() {
    let numbers = [r#"{"N":"2.5"}"#, r#"{"NULL":true}"#];
    assert_eq!(sum_of_price(&[decimal("price")], &numbers), "2.5");
    assert_eq!(sum_of_price(&[decimal("price")], &[]), "0");
}

#[test]
fn a_number_that_no_column_shows_can_be_summed() {
    let layout = RowLayout::clone(&layout_with_sum(&[text("machine_id")], "price"));
    assert_eq!(layout.attributes().collect::<Vec<_>>(), ["SK", "machine_id", "price"]);
    assert_eq!(sum(layout, &[r#"{"N":"2.5"}"#, r#"{"N":"-1"}"#]).to_string(), "1.5");
}

#[test]
fn records_that_are_left_out_are_not_summed() {
    let layout = RowLayout::clone(&layout_with_sum(&[decimal("price")], "price"));
    let only = layout.only("machine_id", ["m_1".to_owned(), "m_3".to_owned()]).expect("a layout");
    let numbers = [r#"{"N":"1"}"#, r#"{"N":"20"}"#, r#"{"N":"300"}"#, r#"{"N":"4000"}"#];
    assert_eq!(sum(only, &numbers).to_string(), "4020");
}

#[test]
fn a_page_without_a_summed_column_has_the_sum_0() {
    let layout = RowLayout::new("SK", &[decimal("price")]).expect("a layout");
    assert_eq!(sum(layout, &[r#"{"N":"1"}"#]), DecimalSum::default());
}

#[test]
fn a_column_of_texts_cannot_be_summed() {
    let layout = RowLayout::new("SK", &[text("machine_id")]).expect("a layout");
    let error = layout.sum_of("machine_id").expect_err("a text");
    assert_eq!(error, LayoutError::TwoTypes("machine_id".to_owned()));
}
