use usage_export::export::request::Scope;
use usage_export::timestamp;

use super::*;

fn sent(body: &str) -> Result<ParsedForm, Box<FormErrors>> {
    ExportForm::read(body.as_bytes()).unwrap().parse("usr_1")
}

const DATES: &str = "start_date=01%2F05%2F2025&end_date=2025-01-31";

#[test]
fn typed_dates_and_browser_dates_make_whole_days() {
    let parsed = sent(&format!("{DATES}&workspaces=all&export_fields=run_id")).unwrap();
    assert_eq!(timestamp::to_text(parsed.request.interval.start()), "2025-01-05T00:00:00.000Z");
    assert_eq!(timestamp::to_text(parsed.request.interval.end()), "2025-01-31T23:59:59.999Z");
    assert!(parsed.request.scope.all_workspaces && parsed.request.scope.personal_workspaces);
}

#[test]
fn every_error_is_shown_at_once_beside_its_input() {
    let errors = sent("start_date=&end_date=31.01.2025&workspaces=selected").unwrap_err();
    assert_eq!(errors.start_date.as_deref(), Some("Enter the start date."));
    assert_eq!(errors.end_date.as_deref(), Some("Enter a date as MM/DD/YYYY, such as 01/31/2025."));
    let leap_day =
        sent("start_date=02/29/2023&end_date=03/31/2023&workspaces=all&export_fields=run_id").unwrap_err();
    assert_eq!(leap_day.start_date.as_deref(), Some("There is no February 29 in 2023."));
    assert!(errors.workspaces.unwrap().starts_with("Select at least one workspace"));
    assert_eq!(errors.fields.as_deref(), Some("Select at least one field."));

    let reversed = "start_date=02/01/2025&end_date=01/31/2025&workspaces=all&export_fields=run_id";
    let errors = sent(reversed).unwrap_err();
    assert_eq!(errors.end_date.as_deref(), Some("The end date must be on or after the start date."));
    assert_eq!(errors.start_date, None);
}

#[test]
fn a_refusal_of_the_api_is_shown_in_the_words_of_the_page() {
    let long = "start_date=01/01/1800&end_date=01/01/2025&workspaces=all&export_fields=run_id";
    let error = sent(long).unwrap_err().end_date.unwrap();
    assert!(error.starts_with("The end date is more than 100 years after the start date"), "{error}");
    let error = sent(&format!("{DATES}&workspaces=all&export_fields=password")).unwrap_err().fields.unwrap();
    assert!(error.starts_with("The selection has the unknown field \"password\""), "{error}");
}

#[test]
fn days_of_a_time_zone_begin_and_end_by_its_clocks() {
    let parsed =
        sent(&format!("{DATES}&workspaces=all&export_fields=run_id&time_zone=Europe/Berlin")).unwrap();
    assert_eq!(timestamp::to_text(parsed.request.interval.start()), "2025-01-04T23:00:00.000Z");
    assert_eq!(timestamp::to_text(parsed.request.interval.end()), "2025-01-31T22:59:59.999Z");
    let errors =
        sent(&format!("{DATES}&workspaces=all&export_fields=run_id&time_zone=Atlantis")).unwrap_err();
    assert_eq!(errors.time_zone.as_deref(), Some("Choose one of the time zones in the list."));
}

#[test]
fn ids_are_taken_one_by_one_or_as_a_pasted_list() {
    let ids = |body: &str| {
        sent(body).unwrap().request.scope.workspace_ids.into_iter().collect::<Vec<_>>().join(" ")
    };
    let body = format!("{DATES}&workspaces=selected&export_fields=run_id");
    assert_eq!(ids(&format!("{body}&workspace_ids=b&workspace_ids=a")), "a b");
    assert_eq!(ids(&format!("{body}&workspace_ids=%22b%22%2C+a%0D%0Ac%3Bb&workspace_ids=")), "a b c");
}

#[test]
fn more_workspaces_than_a_request_can_name_are_refused_in_the_words_of_the_page() {
    let ids: Vec<_> = (0..=MAX_IDS).map(|index| format!("wsp_{index}")).collect();
    let body = format!("{DATES}&workspaces=selected&export_fields=run_id&workspace_ids={}", ids.join("+"));
    assert_eq!(
        sent(&body).unwrap_err().workspaces.unwrap(),
        "Select at most 5,000 workspaces, or all of them."
    );
    let shared = format!("{DATES}&workspaces=selected&export_fields=run_id&shared_workspaces=1");
    assert!(sent(&shared).unwrap().request.scope.organization_workspaces);
}

#[test]
fn workspaces_that_are_named_beside_the_shared_ones_are_kept() {
    let now = DateTime::from_timestamp(1_763_900_000, 0).unwrap();
    let body = json!({
        "user_id": "usr_1", "export_fields": ["run_id"], "start_date": "2025-01-05", "end_date": "2025-01-31",
        "include_organization_workspaces": true, "workspace_ids": ["wsp_personal"],
    });
    let request = ExportCall::parse(body.to_string().as_bytes()).unwrap().request;
    let export = DataExport::new("org_1", "usr_1", request.clone(), now);
    let ids = NamedIds { workspace_ids: request.scope.workspace_ids.clone(), ..NamedIds::default() };
    assert_eq!(ExportForm::from_export(&export, Some(ids)).parse("usr_1").unwrap().request, request);
}

#[test]
fn with_all_workspaces_the_selected_ones_are_ignored() {
    let body = format!("{DATES}&workspaces=all&workspace_ids=wsp_1&export_fields=run_id");
    assert!(sent(&body).unwrap().request.scope.workspace_ids.is_empty());
    let body = body.replace("workspaces=all", "workspaces=selected");
    let scope = sent(&body).unwrap().request.scope;
    assert!(scope.workspace_ids.contains("wsp_1") && !scope.all_workspaces && !scope.personal_workspaces);
}

#[test]
fn columns_are_in_the_order_of_the_page() {
    let body = format!(
        "{DATES}&workspaces=all&export_fields=run_id&export_fields=workspace_id&export_fields=run_id"
    );
    let fields: Vec<_> = sent(&body).unwrap().request.fields.iter().map(|field| field.id()).collect();
    assert_eq!(fields, ["workspace_id", "run_id"]);
}

#[test]
fn a_form_filled_from_an_export_asks_for_the_same() {
    let now = DateTime::from_timestamp(1_763_900_000, 0).unwrap();
    let body = json!({
        "user_id": "usr_1", "export_fields": ["credit_cost", "run_id"],
        "start_date": "2025-01-05", "end_date": "2025-01-31",
        "workspace_ids": ["wsp_1", "wsp_2"], "include_personal_workspaces": true, "entity_ids": ["wbk_1"],
    });
    let request = ExportCall::parse(body.to_string().as_bytes()).unwrap().request;
    let export = DataExport::new("org_1", "usr_1", request.clone(), now);
    let Scope { workspace_ids, entity_ids, .. } = request.scope.clone();
    let again = ExportForm::from_export(&export, Some(NamedIds { workspace_ids, entity_ids }));
    assert!(again.note.as_ref().unwrap().contains("another order"));
    let mut repeated = again.parse("usr_1").unwrap().request;
    repeated.fields.sort_by_key(|field| std::cmp::Reverse(field.id() == "credit_cost"));
    assert_eq!(repeated, request);

    let mut export = export;
    export.request.scope.workspace_count = 0;
    export.request.scope.personal_workspaces = false;
    assert!(ExportForm::from_export(&export, Some(NamedIds::default())).choices.all_workspaces);
    let again = ExportForm::from_export(&export, None);
    assert!(!again.choices.all_workspaces, "lost ids are no reason to export everything");
    assert!(again.note.unwrap().contains("not known any more"));
}

#[test]
fn a_note_tells_of_hours_that_the_form_cannot_hold() {
    let now = DateTime::from_timestamp(1_763_900_000, 0).unwrap();
    let body = json!({
        "user_id": "usr_1", "export_fields": ["run_id"], "start_date": "2025-01-05T10:00:00Z",
        "end_date": "2025-01-05T12:30:00Z", "include_all_workspaces": true,
    });
    let request = ExportCall::parse(body.to_string().as_bytes()).unwrap().request;
    let export = DataExport::new("org_1", "usr_1", request, now);
    let again = ExportForm::from_export(&export, Some(NamedIds::default()));
    let note = again.note.unwrap();
    assert!(note.contains("01/05/2025 10:00:00 – 01/05/2025 12:30:00 UTC"), "{note}");
}

#[test]
fn a_form_above_the_size_limit_is_refused() {
    assert!(ExportForm::read(&vec![b'a'; MAX_FORM_BYTES + 1]).is_err());
}
