//! The report as a person reads it in a terminal.

use std::fmt::Write as _;

use usage_export::wording::{counted, thousands};

use super::queue::Queue;
use super::report::Report;
use super::unfinished::{Segments, Standing, Unfinished};

/// Failed exports that are shown. `--json` has all of them.
const MAX_FAILED_SHOWN: usize = 20;

/// Digits of a lease owner that are shown.
const OWNER_DIGITS: usize = 8;

/// The whole report.
pub fn text(report: &Report) -> String {
    let mut text = format!("Exports of {}, {}\n\n", report.deployment, report.now);
    queues(&mut text, report);
    unfinished(&mut text, report);
    failed(&mut text, report);
    text
}

fn queues(text: &mut String, report: &Report) {
    let row = |name: &str, queue: &Queue| {
        let numbers = [queue.visible, queue.in_flight, queue.delayed].map(thousands);
        [vec![name.to_owned()], numbers.to_vec()].concat()
    };
    let head = ["QUEUE", "VISIBLE", "IN FLIGHT", "DELAYED"].map(str::to_owned).to_vec();
    let (exports, letters) = (&report.queues.exports, &report.queues.dead_letters);
    text.push_str(&table(&[head, row("exports", exports), row("dead letters", letters)]));
    if *letters != Queue::default() {
        text.push_str("The dead-letter queue is not empty: see DeadLetterAlarm in docs/operations.md.\n");
    }
    let waits = |export: &&Unfinished| export.standing == Standing::WaitsForWorker;
    if let Some(oldest) =
        report.unfinished.iter().filter(waits).map(|export| export.seconds_without_progress).max()
    {
        let _ = writeln!(text, "Longest without a worker: {}.", duration(oldest));
    }
    text.push('\n');
}

fn unfinished(text: &mut String, report: &Report) {
    let count = report.unfinished.len() + report.unreadable.len();
    let _ = writeln!(text, "{} not settled\n", counted(count as u64, "export"));
    if !report.unfinished.is_empty() {
        let head = ["EXPORT", "AGE", "STANDING", "DONE", "ROWS", "TRIES", "RESENT", "WORKER"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(report.unfinished.iter().map(row));
        text.push_str(&table(&rows));
    }
    for export in &report.unfinished {
        if let Some(segments) = &export.segments {
            let _ = writeln!(text, "{} is read in segments: {}.", export.data_export_id, split(segments));
        }
    }
    for id in &report.unreadable {
        let _ = writeln!(text, "{id} cannot be read: see docs/data.md.");
    }
    text.push('\n');
}

fn row(export: &Unfinished) -> Vec<String> {
    let standing = match export.standing {
        Standing::Runs => "runs",
        Standing::WaitsForTurn => "waits for turn",
        Standing::WaitsForWorker => "waits for worker",
        Standing::Settles => "cleans up",
    };
    let worker = match (&export.lease_owner, export.lease_ends_in_seconds) {
        (Some(owner), Some(left)) if left > 0 => {
            format!("{} for {}", owner.chars().take(OWNER_DIGITS).collect::<String>(), duration(left))
        }
        (Some(owner), _) => format!("{}, dead", owner.chars().take(OWNER_DIGITS).collect::<String>()),
        _ => "none".to_owned(),
    };
    vec![
        export.data_export_id.clone(),
        duration(export.age_seconds),
        standing.to_owned(),
        format!("{}%", export.progress),
        thousands(export.row_count),
        export.attempts.to_string(),
        export.resends.to_string(),
        worker,
    ]
}

fn split(segments: &Segments) -> String {
    let Segments { completed, being_read, waiting, failed } = segments;
    format!("{completed} completed, {being_read} being read, {waiting} waiting, {failed} failed")
}

fn failed(text: &mut String, report: &Report) {
    let count = report.failed.len();
    let _ = writeln!(
        text,
        "{} failed since {}, {} cancelled\n",
        counted(count as u64, "export"),
        report.failed_since,
        report.cancelled
    );
    if count == 0 {
        return;
    }
    let head = ["EXPORT", "FAILED", "REASON", "ORGANIZATION"].map(str::to_owned).to_vec();
    let rows = report.failed.iter().take(MAX_FAILED_SHOWN).map(|export| {
        let ids = [&export.data_export_id, &export.finished_ts, &export.reason, &export.organization_id];
        // What is stored must not move the cursor of the terminal.
        ids.map(|cell| cell.escape_debug().to_string()).to_vec()
    });
    text.push_str(&table(&[vec![head], rows.collect()].concat()));
    if count > MAX_FAILED_SHOWN {
        let _ = writeln!(text, "and {} more: --json has them all.", count - MAX_FAILED_SHOWN);
    }
}

/// Columns that are as wide as their widest cell. Cells of digits stand at the right.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let cells = |column: usize| rows.iter().map(move |row| row[column].as_str());
    let widths: Vec<_> = (0..columns)
        .map(|column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let is_number = |cell: &str| cell.bytes().all(|byte| byte.is_ascii_digit() || b",%".contains(&byte));
    let at_right: Vec<_> = (0..columns).map(|column| cells(column).skip(1).all(is_number)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = widths[column];
            if at_right[column] { format!("{cell:>width$}") } else { format!("{cell:width$}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// So long as a person says it: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`.
fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if days > 0 {
        format!("{days} d {} h", hours % 24)
    } else if hours > 0 {
        format!("{hours} h {} min", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes} min")
    } else {
        format!("{seconds} s")
    }
}

#[cfg(test)]
mod tests {
    use super::super::failed::Failed;
    use super::super::queue::Queues;
    use super::*;

    fn export(standing: Standing) -> Unfinished {
        Unfinished {
            data_export_id: "019ab0a2-0700-7000-8000-000000000001".to_owned(),
            organization_id: "org_1".to_owned(),
            state: "IN_PROGRESS",
            standing,
            age_seconds: 3_700,
            seconds_without_progress: 130,
            progress: 40,
            row_count: 1_234,
            attempts: 1,
            resends: 0,
            lease_owner: Some("3f9a0c51-e27b-4d46-8000-000000000000".to_owned()),
            lease_ends_in_seconds: Some(45),
            segments: Some(Segments { completed: 5, being_read: 2, waiting: 1, failed: 0 }),
        }
    }

    fn report() -> Report {
        let lost = Unfinished {
            data_export_id: "019ab0a2-0800-7000-8000-000000000002".to_owned(),
            state: "REQUESTED",
            lease_owner: None,
            lease_ends_in_seconds: None,
            segments: None,
            ..export(Standing::WaitsForWorker)
        };
        Report {
            deployment: "stack usage".to_owned(),
            now: "2026-01-02T03:04:05.000Z".to_owned(),
            queues: Queues {
                exports: Queue { visible: 1_200, in_flight: 2, delayed: 0 },
                dead_letters: Queue { in_flight: 1, ..Queue::default() },
            },
            unfinished: vec![export(Standing::Runs), lost],
            unreadable: vec!["019ab0a2-0900-7000-8000-000000000003".to_owned()],
            failed_since: "2026-01-01T03:04:05.000Z".to_owned(),
            failed: vec![Failed {
                data_export_id: "019ab0a2-0600-7000-8000-000000000004".to_owned(),
                organization_id: "org_2".to_owned(),
                finished_ts: "2026-01-02T01:00:00.000Z".to_owned(),
                reason: "bad_record".to_owned(),
            }],
            cancelled: 3,
        }
    }

    #[test]
    fn a_person_sees_what_is_stuck() {
        let expected = "\
Exports of stack usage, 2026-01-02T03:04:05.000Z

QUEUE         VISIBLE  IN FLIGHT  DELAYED
exports         1,200          2        0
dead letters        0          1        0
The dead-letter queue is not empty: see DeadLetterAlarm in docs/operations.md.
Longest without a worker: 2 min.

3 exports not settled

EXPORT                                AGE        STANDING          DONE   ROWS  TRIES  RESENT  WORKER
019ab0a2-0700-7000-8000-000000000001  1 h 1 min  runs               40%  1,234      1       0  3f9a0c51 for 45 s
019ab0a2-0800-7000-8000-000000000002  1 h 1 min  waits for worker   40%  1,234      1       0  none
019ab0a2-0700-7000-8000-000000000001 is read in segments: 5 completed, 2 being read, 1 waiting, 0 failed.
019ab0a2-0900-7000-8000-000000000003 cannot be read: see docs/data.md.

1 export failed since 2026-01-01T03:04:05.000Z, 3 cancelled

EXPORT                                FAILED                    REASON      ORGANIZATION
019ab0a2-0600-7000-8000-000000000004  2026-01-02T01:00:00.000Z  bad_record  org_2
";
        // The width of a column is its own affair.
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let shown = text(&report());
        assert_eq!(words(&shown), words(expected), "{shown}");
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(
            lines[2].find("VISIBLE").map(|at| at + 7),
            lines[3].find("1,200").map(|at| at + 5),
            "{shown}"
        );
    }

    #[test]
    fn durations_are_short() {
        let shown = [45, 725, 12_000, 187_200, -5].map(duration);
        assert_eq!(shown, ["45 s", "12 min", "3 h 20 min", "2 d 4 h", "0 s"]);
    }
}
