//! The cell cache: what is looked up when, and how much is remembered.

use query_csv::MissingCells;

use crate::layouts::{joined, text};
use crate::reading::File;

/// An answer with a record for each of these ids.
fn answer(ids: impl IntoIterator<Item = String>) -> String {
    let record = |(index, id)| {
        format!(r#"{{"SK":{{"S":"2025-01-31T09:30:00.000Z#{index}"}},"machine_id":{{"S":"{id}"}}}}"#)
    };
    let records: Vec<_> = ids.into_iter().enumerate().map(record).collect();
    format!(r#"{{"Count":{0},"Items":[{1}],"ScannedCount":{0}}}"#, records.len(), records.join(","))
}

fn file() -> File {
    File::new(&[text("machine_id"), joined("machine_id", 0)])
}

#[test]
fn an_id_is_looked_up_once_however_many_rows_have_it() {
    let mut file = file();
    for expected in [3, 3] {
        let ids = (0..300).map(|index| format!("m_{}", index % 3));
        let (rows, counts) = file.rows(&answer(ids)).expect("a page");
        assert_eq!((file.looked_up, counts.written), (expected, 300));
        assert!(rows.ends_with("m_2,machine_id of m_2\r\n"));
    }
}

#[test]
fn a_record_without_an_id_is_not_looked_up() {
    let mut file = file();
    let (rows, _) = file.rows(&answer([String::new()])).expect("a page");
    assert_eq!((rows.as_str(), file.looked_up), (",\r\n", 0));
}

#[test]
fn pages_that_were_read_before_the_look_up_need_no_second_one() {
    let mut file = file();
    let [first, second] = ["m_1", "m_2"].map(|other| answer(["m_0".to_owned(), other.to_owned()]));
    let pages = [first, second].map(|answer| file.page([answer.as_bytes()], None).expect("a page"));
    for page in pages {
        file.complete(page);
    }
    assert_eq!(file.looked_up, 3);
}

#[test]
fn ids_beyond_the_bound_are_forgotten_and_looked_up_again() {
    let mut file = file();
    // More than 16 MiB of ids and cells.
    let long = "x".repeat(70_000);
    let answers: Vec<_> =
        (0..5).map(|page| answer((0..40).map(|id| format!("m_{page}_{id}_{long}")))).collect();
    for answer in answers.iter().chain([&answers[0]]) {
        let (rows, _) = file.rows(answer).expect("a page");
        assert_eq!(rows.matches("machine_id of").count(), 40);
    }
    assert_eq!(file.looked_up, 240, "the first page's ids were looked up twice");
}

#[test]
fn a_page_that_still_misses_cells_is_an_error() {
    let file = file();
    let page = file.page([answer(["m_1".to_owned()]).as_bytes()], None).expect("a page");
    let error = page.into_rows(&file.cells, &file.pool).expect_err("nothing was inserted");
    assert_eq!(error, MissingCells { join: 0, id: "m_1".to_owned() });
}

#[test]
fn an_id_that_is_inserted_twice_keeps_its_cells() {
    let mut file = file();
    file.cells.insert(0, "m_1", &["one"]);
    file.cells.insert(0, "m_1", &["two"]);
    assert_eq!(file.rows(&answer(["m_1".to_owned()])).expect("a page").0, "m_1,one\r\n");
}
