use std::time::Duration;

use usage_export::timestamp;

use super::*;
use crate::partition::PartOfMonth;
use crate::preview::millis::WEEK;

fn visit(first: &str, last: &str) -> Visit {
    let [first, last] = [first, last].map(|text| timestamp::from_text(text).unwrap());
    let month = usage_export::usage::Month::of(first);
    let partition = Partition {
        index: 0,
        workspace_id: "wsp_1".to_owned(),
        workspace_name: String::new(),
        month,
        partition_key: "wsp_1#2025-03".to_owned(),
        after: None,
        time: PartOfMonth::new(month, first, last),
        sort_keys: (None, None),
        covered_before: Duration::ZERO,
    };
    Visit::new(0, partition, 1.0, last)
}

fn march() -> Visit {
    visit("2025-03-01T00:00:00.000Z", "2025-03-31T23:59:59.999Z")
}

fn counts(read: u64) -> Counts {
    Counts { read, rows: read }
}

#[test]
fn a_partition_that_one_answer_reads_has_no_gap() {
    let mut visit = march();
    let gap = visit.gaps().remove(0);
    let ask = visit.ask_for(gap);
    assert!(visit.is_unknown());
    assert_eq!((ask.time.end - ask.time.start, ask.after), (31 * DAY, None));
    visit.answered(ask.excerpt, counts(7), None);
    assert!(visit.gaps().is_empty() && !visit.is_hardly_known());
    assert!(visit.known_rows() == 7 && (visit.rows() - 7.0).abs() < 1e-6);
}

#[test]
fn what_one_answer_does_not_read_is_a_gap_behind_its_last_record() {
    let mut visit = march();
    let gap = visit.gaps().remove(0);
    let ask = visit.ask_for(gap);
    let noon = ask.time.start + DAY / 2;
    visit.answered(ask.excerpt, counts(100), Some((noon, "noon#run".to_owned())));
    let gaps = visit.gaps();
    assert_eq!((gaps.len(), gaps[0].time.start, gaps[0].after.as_deref()), (1, noon, Some("noon#run")));
    assert!(visit.is_hardly_known());
    // 200 a day, of which one answer has 100.
    assert!((visit.rows() - 6_200.0).abs() < 1e-6);
    assert!((62.0..90.0).contains(&visit.calls_left()), "{}", visit.calls_left());
}

#[test]
fn a_hundred_records_of_one_millisecond_do_not_lose_the_next() {
    let mut visit = march();
    let gap = visit.gaps().remove(0);
    let ask = visit.ask_for(gap);
    let first = ask.time.start;
    visit.answered(ask.excerpt, counts(100), Some((first, "first#100".to_owned())));
    for number in 2..5 {
        let gap = visit.gaps().remove(0);
        assert_eq!(gap.time.start, first);
        let ask = visit.ask_for(gap);
        visit.answered(ask.excerpt, counts(100), Some((first, format!("first#{number}00"))));
    }
    assert_eq!((visit.known_rows(), visit.gaps().len()), (400, 1));
    assert_eq!(visit.gaps()[0].after.as_deref(), Some("first#400"));
}

#[test]
fn excerpts_never_meet_and_begin_at_the_phase_that_is_asked_for() {
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..50 {
        let mut visit = march();
        let gap = visit.gaps().remove(0);
        let ask = visit.ask_for(gap);
        visit.answered(ask.excerpt, counts(100), Some((ask.time.start + HOUR, "1#1".to_owned())));
        let mut asked = Vec::new();
        asked.push(ask.time.start..ask.time.start + HOUR);
        for _ in 0..20 {
            let phase = rng.f64();
            let Some(ask) = visit.ask_at(phase, rng.f64()) else { break };
            assert!(ask.time.start < ask.time.end && ask.time.end <= visit.span.end);
            assert!(asked.iter().all(|time| time.end <= ask.time.start || ask.time.end <= time.start));
            if asked.len() < 3 {
                let of_week = length(&(0..ask.time.start.rem_euclid(WEEK))) / length(&(0..WEEK));
                assert!((of_week - phase).abs() < 1e-6, "{of_week} {phase}");
            }
            asked.push(ask.time);
        }
        assert!(asked.len() > 10);
    }
}

#[test]
fn a_moment_is_a_partition_too() {
    let mut visit = visit("2025-03-01T00:00:00.000Z", "2025-03-01T00:00:00.000Z");
    assert_eq!(visit.gaps().len(), 1);
    let ask = visit.ask_at(0.9, 0.9).unwrap();
    assert_eq!(ask.time.end - ask.time.start, 1);
    visit.answered(ask.excerpt, counts(100), Some((ask.time.start, "1#1".to_owned())));
    assert_eq!(visit.gaps().len(), 1, "others of the same millisecond");
}
