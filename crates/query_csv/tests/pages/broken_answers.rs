//! Answers that arrive changed, cut off or not at all as answers.

use proptest::prelude::*;
use query_csv::{Column, PageError};

use crate::layouts::calls;
use crate::random_answers::answer;
use crate::reading::File;

const ANSWER: &str = r#"{"Count":2,"Items":[{"SK":{"S":"2025-01-31T09:30:00.000Z#a"},"price":{"N":"1.5"}},{"SK":{"S":"2025-01-31T09:30:00.001Z#b"}}],"ScannedCount":2}"#;

/// What comes of these bytes in frames of this size.
fn read(bytes: &[u8], frame_size: usize, crc32: Option<u32>) -> Result<u64, PageError> {
    File::new(&[Column::SortKeyId]).page(bytes.chunks(frame_size), crc32).map(|page| page.counts.written)
}

#[test]
fn an_answer_that_arrives_changed_is_found_by_its_checksum() {
    let (expected, changed) = (crc32fast::hash(ANSWER.as_bytes()), ANSWER.replace("1.5", "7.5"));
    let found = crc32fast::hash(changed.as_bytes());
    assert_eq!(read(ANSWER.as_bytes(), 50, Some(expected)), Ok(2));
    assert_eq!(read(changed.as_bytes(), 50, Some(expected)), Err(PageError::Checksum { expected, found }));
    assert_eq!(read(changed.as_bytes(), 50, None), Ok(2), "without a checksum nobody can tell");
}

#[test]
fn an_answer_that_is_cut_off_anywhere_is_found() {
    for length in 0..ANSWER.len() {
        for frame_size in [1, 50, 1000] {
            assert_eq!(
                read(&ANSWER.as_bytes()[..length], frame_size, None),
                Err(PageError::CutOff),
                "{length} bytes"
            );
        }
    }
}

#[test]
fn bytes_behind_the_answer_are_malformed() {
    for behind in [",", "x", "{}", " }"] {
        for frame_size in [1, ANSWER.len(), 1000] {
            let longer = format!("{ANSWER}\n{behind}");
            let read = read(longer.as_bytes(), frame_size, None);
            assert_eq!(read, Err(PageError::Malformed), "{behind} in frames of {frame_size}");
        }
    }
    assert_eq!(read(format!("{ANSWER} \r\n\t").as_bytes(), 10, None), Ok(2));
}

#[test]
fn a_second_list_of_records_is_malformed() {
    let twice = ANSWER.replace(r#""ScannedCount":2"#, r#""Items":[]"#);
    assert_eq!(read(twice.as_bytes(), 50, None), Err(PageError::Malformed));
}

proptest! {
    /// Whatever arrives, nothing panics.
    #[test]
    fn any_bytes_are_a_page_or_an_error(bytes in any::<Vec<u8>>(), answer in answer(), at in any::<usize>()) {
        let mut changed = answer.into_bytes();
        let at = at % changed.len();
        changed.splice(at..at, bytes);
        for frame_size in [1, changed.len()] {
            let mut file = File::new(&calls());
            if let Ok(page) = file.page(changed.chunks(frame_size), None) {
                file.complete(page);
            }
        }
    }
}
