use serde_json::{Value, json};
use usage_export::export::request::ExportCall;

use super::*;

const ID: &str = "019ab0a2-0700-7000-8000-000000000001";
const PAGE_URL: &str = "https://app.example.com";

/// A finished export of 2025 that was asked for with these members in the body.
fn export(members: &Value, state: State) -> DataExport {
    let mut body = json!({
        "user_id": "usr_1", "export_fields": ["run_id"], "start_date": "2025-01-01", "end_date": "2025-12-31",
    });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let request = ExportCall::parse(body.to_string().as_bytes()).unwrap().request;
    let now = DateTime::from_timestamp(1_767_600_000, 0).unwrap();
    DataExport {
        data_export_id: ID.to_owned(),
        state,
        finished_ts: Some(now),
        row_count: 1_234_567,
        size_bytes: Some(98_765_432),
        credit_cost: Some("1234567.0000000000000000001".to_owned()),
        expires_ts: Some(now + TimeDelta::days(30)),
        ..DataExport::new("org_1", "usr_1", request, now)
    }
}

fn completed(members: &Value) -> DataExport {
    export(members, State::Completed)
}

fn failed(reason: Option<&str>) -> DataExport {
    let error = reason.map(str::to_owned);
    DataExport { error, size_bytes: None, expires_ts: None, ..export(&everywhere(), State::Failed) }
}

fn everywhere() -> Value {
    json!({"include_all_workspaces": true})
}

fn mail(export: &DataExport, names: &[&str]) -> Email {
    let workspaces = names.iter().map(|name| (*name).to_owned()).collect();
    let names = Names { organization: "Test & Söhne".to_owned(), workspaces };
    compose(export, &names, &PAGE_URL.parse().unwrap()).unwrap()
}

/// Subject, text and HTML as they are sent.
fn assert_email(name: &str, email: &Email) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::assert_snapshot!(
            format!("email_{name}"),
            format!("Subject: {}\n\n{}\n\n{}", email.subject, email.text, email.html)
        );
    });
}

/// The facts of an email: the lines of its text that have a label.
fn fact(email: &Email, label: &str) -> String {
    let line = email.text.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix(':'));
    let fact = line.unwrap().trim().to_owned();
    assert!(email.html.contains(&fact) || fact.contains(['<', '&', '"', '\'']), "HTML says the same: {fact}");
    fact
}

/// The names without the marks that isolate their direction.
fn without_isolates(text: &str) -> String {
    text.replace(['\u{2068}', '\u{2069}'], "")
}

#[test]
fn a_completed_export() {
    assert_email("completed", &mail(&completed(&everywhere()), &[]));
}

#[test]
fn the_email_of_a_cancelled_export_says_so() {
    let email = mail(&failed(Some(usage_export::export::CANCELLED)), &[]);
    assert_email("cancelled", &email);
    for part in [&email.subject, &email.text, &email.html] {
        assert!(part.contains("cancelled") && !part.contains("failed"), "{part}");
    }
}

#[test]
fn a_failed_export() {
    let reason = "The export could not be finished because of a technical problem on our side.";
    assert_email("failed", &mail(&failed(Some(reason)), &[]));
    assert!(mail(&failed(None), &[]).text.contains("Something went wrong on our side."));
}

#[test]
fn named_workspaces_and_workbooks() {
    let members = json!({
        "workspace_ids": ["wsp_1", "wsp_2", "wsp_3", "wsp_4", "wsp_5"], "entity_ids": ["wbk_1", "wbk_2"],
        "include_personal_workspaces": true,
    });
    assert_email("named_workspaces", &mail(&completed(&members), &["Sales EMEA", "Finance & Ops", "מחקר"]));
}

/// Names that try to run, to break a line, to turn the text around, and to push it off the page.
#[test]
fn hostile_names() {
    let long = "long ".repeat(200);
    let names = [
        "<script>alert('x')</script>",
        "\"quoted\" & 'single'\r\nBcc: eve@example.com",
        "\u{202e}txt.exe 🎉",
    ];
    let members = json!({"workspace_ids": ["wsp_1", "wsp_2", "wsp_3"]});
    let email = mail(&completed(&members), &names);
    assert_email("hostile_names", &email);
    assert!(!email.html.contains("<script"));
    assert!(!email.html.contains('\u{202e}') && !email.text.contains('\u{202e}'));
    assert!(!email.text.lines().any(|line| line.starts_with("Bcc")));

    for separator in ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}", "\u{b}", "\0", "\u{1b}"] {
        let email = mail(&completed(&members), &[&format!("one{separator}two")]);
        assert!(fact(&email, "Workspaces").contains("one two"), "{separator:?}");
    }
    for mark in "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}".chars() {
        let email = mail(&completed(&members), &[&format!("one{mark}two")]);
        assert!(fact(&email, "Workspaces").contains("onetwo"), "{mark:?}");
    }
    let cut = without_isolates(&fact(&mail(&completed(&members), &[&long]), "Workspaces"));
    assert_eq!(cut, format!("{}… and 2 more", long[..60].trim()));
    let whole = "x".repeat(60);
    let kept = fact(&mail(&completed(&members), &[&format!("\u{202e}{whole}")]), "Workspaces");
    assert_eq!(without_isolates(&kept), format!("{whole} and 2 more"), "nothing that is seen was cut");
}

#[test]
fn a_subject_is_one_line_without_names() {
    let members = json!({"workspace_ids": ["wsp_1"]});
    for export in [completed(&members), failed(None)] {
        let subject = mail(&export, &["evil\r\nBcc: eve@example.com"]).subject;
        assert!(!subject.contains(char::is_control) && !subject.contains("evil"), "{subject}");
        assert!(subject.ends_with(": 01/01/2025 – 12/31/2025"), "{subject}");
    }
}

#[test]
fn a_range_is_told_as_it_was_meant() {
    for (start, end, range) in [
        ("2025-01-01", "2025-01-31", "01/01/2025 – 01/31/2025"),
        ("2025-01-31", "2025-01-31", "01/31/2025"),
        ("2025-01-31T00:00:00Z", "2025-01-31T00:00:00Z", "01/31/2025"),
        ("2025-01-01T09:30:00Z", "2025-01-01T17:00:00Z", "01/01/2025 09:30:00 – 01/01/2025 17:00:00 UTC"),
        // Whole days elsewhere are no whole days in UTC.
        (
            "2025-01-01T00:00:00+02:00",
            "2025-01-01T00:00:00+02:00",
            "12/31/2024 22:00:00 – 01/01/2025 21:59:59 UTC",
        ),
    ] {
        let members = json!({"include_all_workspaces": true, "start_date": start, "end_date": end});
        let email = mail(&completed(&members), &[]);
        assert_eq!(fact(&email, "Date range"), range);
        assert_eq!(email.subject, format!("Your usage data export is ready: {range}"));
    }
}

#[test]
fn a_total_keeps_every_digit_and_a_saved_export_its_name() {
    let mut export = completed(&everywhere());
    assert_eq!(fact(&mail(&export, &[]), "Total"), "1,234,567.0000000000000000001 credits");
    export.credit_cost = None;
    export.request.name = Some("Monthly\r\nBcc: <b>".to_owned());
    export.request.time_zone = Some("America/New_York".to_owned());
    let email = mail(&export, &[]);
    assert!(!email.text.contains("Total:") && !email.text.contains("\nBcc"), "{}", email.text);
    assert_eq!(without_isolates(&fact(&email, "Saved export")), "Monthly Bcc: <b>");
    assert_eq!(without_isolates(&fact(&email, "Organization")), "Test & Söhne");
    assert_eq!(fact(&email, "Fields"), "1 (Run ID)");
}

#[test]
fn rows_and_sizes_are_told_for_people() {
    for (rows, text) in [(0, "0 rows"), (1, "1 row"), (999, "999 rows"), (1_234_567, "1,234,567 rows")] {
        let export = DataExport { row_count: rows, ..completed(&everywhere()) };
        assert_eq!(fact(&mail(&export, &[]), "Rows"), text);
    }
    for (bytes, text) in [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_999, "999.9 kB"),
        (34_567_890, "34.5 MB"),
        (u64::MAX, "18446744073.7 GB"),
    ] {
        let export = DataExport { size_bytes: Some(bytes), ..completed(&everywhere()) };
        assert_eq!(fact(&mail(&export, &[]), "File size"), text);
    }
}

#[test]
fn workspaces_are_told_as_they_were_chosen() {
    for (members, names, text) in [
        (everywhere(), vec![], "All workspaces"),
        (json!({"include_personal_workspaces": true}), vec![], "All personal workspaces"),
        (json!({"include_organization_workspaces": true}), vec![], "All shared workspaces"),
        (
            json!({"include_organization_workspaces": true, "workspace_ids": ["w1"]}),
            vec!["Ada"],
            "All shared workspaces, and 1 more",
        ),
        (json!({"entity_ids": ["wbk_1"]}), vec![], "All workspaces (only 1 workbook)"),
        (json!({"workspace_ids": ["w1"]}), vec!["Sales"], "Sales"),
        (json!({"workspace_ids": ["w1", "w2"]}), vec!["Sales", "Ops"], "Sales, Ops"),
        (json!({"workspace_ids": ["w1", "w2", "w3", "w4"]}), vec!["A", "B", "C"], "A, B, C and 1 more"),
        // The directory knows only one of them.
        (json!({"workspace_ids": ["w1", "w2"]}), vec!["Sales"], "Sales and 1 more"),
        (json!({"workspace_ids": ["w1", "w2"]}), vec![], "2 workspaces"),
        (
            json!({"workspace_ids": ["w1"], "include_personal_workspaces": true}),
            vec!["Sales"],
            "Sales, and all personal workspaces",
        ),
    ] {
        let told = fact(&mail(&completed(&members), &names), "Workspaces");
        assert_eq!(without_isolates(&told), text, "{members}");
    }
}

#[test]
fn a_slash_at_the_end_of_the_pages_origin_makes_no_difference() {
    let export = completed(&everywhere());
    let with_slash = compose(&export, &Names::default(), &format!("{PAGE_URL}/").parse().unwrap()).unwrap();
    assert_eq!(with_slash, compose(&export, &Names::default(), &PAGE_URL.parse().unwrap()).unwrap());
}

/// The page asks who it is and signs a URL at the click.
#[test]
fn the_only_link_leads_to_the_page_of_the_export() {
    let link = format!("{PAGE_URL}/settings/organization/data_export/exports/{ID}");
    for export in [completed(&everywhere()), failed(None)] {
        let email = mail(&export, &[]);
        for body in [&email.text, &email.html] {
            let links: Vec<_> = body.match_indices("http").map(|(at, _)| &body[at..]).collect();
            assert!(!links.is_empty() && links.iter().all(|found| found.starts_with(&link)), "{body}");
            assert!(!body.contains("X-Amz") && !body.contains("src="));
        }
    }
}
