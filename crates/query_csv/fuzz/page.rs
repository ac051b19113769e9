//! Any bytes as an answer of `Query`: nothing panics, frames of any size make the same page, and what DynamoDB could
//! have sent becomes the rows and the sum that the tests' oracle expects.
//!
//! `cargo xtask fuzz`

#![no_main]

#[path = "../tests/pages/layouts.rs"]
mod layouts;
#[path = "../tests/pages/oracle.rs"]
mod oracle;
#[path = "../tests/pages/reading.rs"]
#[expect(dead_code, reason = "the tests read whole answers, this reads frames")]
mod reading;

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use query_csv::PageError;
use serde_json::Value;

use crate::layouts::{calls, layout_with_sum, ledger};
use crate::reading::File;

fuzz_target!(|answer: &[u8]| {
    for (columns, summed) in [(calls(), "price"), (ledger(), "amount")] {
        let layout = layout_with_sum(&columns, summed);
        let read_in_frames = |size| read(File::of(Arc::clone(&layout)), answer, size);
        let whole = read_in_frames(answer.len().max(1));
        for frame_size in [1, 7, 100] {
            assert_eq!(whole, read_in_frames(frame_size), "in frames of {frame_size}");
        }
        if let Ok(answer) = serde_json::from_slice::<Value>(answer)
            && dynamodb_could_send(&answer)
        {
            let lacking =
                || layout.attributes().map(|attribute| oracle::lacking(&answer, attribute)).collect();
            let sum_and_rows = oracle::sum(&answer, summed).zip(oracle::rows(&answer, &columns));
            match (&whole, sum_and_rows.map(|(sum, rows)| (sum, lacking(), oracle::times(&answer), rows))) {
                (Ok(read), Some(expected)) => assert_eq!(*read, expected),
                (Err(PageError::Record(_)), None) => {}
                // A name of the protocol with escapes, or two lists of records.
                (Err(PageError::Malformed), _) => {}
                (read, expected) => panic!("{read:?} instead of {expected:?}"),
            }
        }
    }
});

/// The sum, how many rows lack each attribute, the times of the first and the last row, and the rows.
type Read = (String, Vec<u64>, Option<[String; 2]>, String);

/// Reads an answer that arrives in frames of this size. Bytes that are both malformed and cut off may be reported as either.
fn read(mut file: File, answer: &[u8], frame_size: usize) -> Result<Read, PageError> {
    match file.page(answer.chunks(frame_size), None) {
        Ok(page) => Ok((page.sum.to_string(), page.lacking.clone(), page.times.clone(), file.complete(page))),
        Err(PageError::CutOff) => Err(PageError::Malformed),
        Err(error) => Err(error),
    }
}

/// Whether the answer has a list of records whose values each have one type.
fn dynamodb_could_send(answer: &Value) -> bool {
    let is_value = |value: &Value| {
        value.as_object().is_some_and(|members| {
            members.len() == 1
                && members.iter().all(|(kind, value)| match kind.as_str() {
                    "S" => value.is_string(),
                    "N" => value.as_str().is_some_and(|digits| !digits.is_empty()),
                    "NULL" => value.is_boolean(),
                    _ => true,
                })
        })
    };
    let is_item = |item: &Value| item.as_object().is_some_and(|item| item.values().all(is_value));
    answer.get("Items").and_then(Value::as_array).is_some_and(|items| items.iter().all(is_item))
}
