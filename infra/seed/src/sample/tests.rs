use std::collections::{HashMap, HashSet};
use std::ops::Range;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};

use super::calendar::midnight;
use super::*;
use crate::records::Item;
use crate::{MONTHS, SeededUser};

/// Enough runs for every rare case to occur.
const RUNS: usize = 30_000;

/// Seeds on a day in the middle of a month, and not at midnight.
fn options(seed: u64) -> SeedOptions {
    let day = NaiveDate::from_ymd_opt(2026, 2, 17).unwrap();
    SeedOptions { runs: RUNS, seed, now: day.and_hms_opt(15, 4, 5).unwrap().and_utc() }
}

fn generate_directory(seed: u64) -> Directory {
    directory(&options(seed)).0
}

fn generate_run_items(options: &SeedOptions) -> Vec<Item> {
    let (directory, rng) = directory(options);
    runs(&directory, options, rng).map(|run| run.to_item()).collect()
}

/// The value of a string attribute; empty if the item does not have it.
fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).map_or("", |value| value.as_s().unwrap())
}

fn period(options: &SeedOptions) -> Range<DateTime<Utc>> {
    let end = options.now.date_naive();
    midnight(end - MONTHS)..midnight(end)
}

fn start(run: &Item) -> DateTime<Utc> {
    text(run, "SK").split_once('#').unwrap().0.parse().unwrap()
}

#[test]
fn the_same_day_and_seed_give_the_same_items() {
    let later = SeedOptions { now: options(1).now + chrono::Duration::hours(8), ..options(1) };
    assert_eq!(generate_run_items(&options(1)), generate_run_items(&later));
    assert_eq!(generate_directory(1).items(), directory(&later).0.items());
    assert_eq!(generate_directory(1).seeded_users(), directory(&later).0.seeded_users());
}

#[test]
fn another_seed_gives_other_items() {
    let keys = |directory: &Directory| -> HashSet<(String, String)> {
        directory.items().iter().map(|item| (text(item, "PK").into(), text(item, "SK").into())).collect()
    };
    assert!(keys(&generate_directory(1)).is_disjoint(&keys(&generate_directory(2))));
}

#[test]
fn more_runs_begin_with_the_same_runs() {
    let fewer = SeedOptions { runs: 1000, ..options(1) };
    assert_eq!(generate_run_items(&fewer), generate_run_items(&options(1))[..1000]);
}

#[test]
fn no_key_repeats_and_no_string_is_empty() {
    let items = [generate_directory(1).items(), generate_run_items(&options(1))].concat();
    let keys: HashSet<_> = items.iter().map(|item| (text(item, "PK"), text(item, "SK"))).collect();
    assert_eq!(keys.len(), items.len());
    for value in items.iter().flat_map(HashMap::values) {
        assert!(!matches!(value, AttributeValue::S(text) if text.is_empty()));
    }
}

#[test]
fn ids_contain_no_separator() {
    let is_id = |text: &str, prefix: &str| {
        text.strip_prefix(prefix)
            .is_some_and(|hex| hex.len() == 32 && hex.chars().all(|c| c.is_ascii_hexdigit()))
    };
    for run in generate_run_items(&options(1)) {
        let (workspace, month) = text(&run, "PK").split_once('#').unwrap();
        let (start, id) = text(&run, "SK").split_once('#').unwrap();
        assert!(is_id(workspace, "wsp_") && is_id(id, "run_"), "{run:?}");
        assert!(is_id(text(&run, "workbook_id"), "wbk_") && is_id(text(&run, "user_id"), "usr_"), "{run:?}");
        assert!(start.starts_with(month) && start.len() == "2025-01-31T09:30:00.000Z".len(), "{run:?}");
    }
}

#[test]
fn runs_fill_the_eighteen_months_and_working_days_most() {
    let period = period(&options(1));
    let mut by_weekday = HashMap::<Weekday, usize>::new();
    let mut months = HashSet::new();
    for start in generate_run_items(&options(1)).iter().map(start) {
        assert!(period.contains(&start), "{start}");
        *by_weekday.entry(start.weekday()).or_default() += 1;
        months.insert((start.year(), start.month()));
    }
    assert_eq!(months.len(), 19);
    assert!(by_weekday[&Weekday::Tue] > 3 * by_weekday[&Weekday::Sat], "{by_weekday:?}");
    assert!(by_weekday[&Weekday::Mon] > 3 * by_weekday[&Weekday::Sun], "{by_weekday:?}");
}

#[test]
fn no_partition_is_larger_than_a_fiftieth_of_all_runs() {
    let mut partitions = HashMap::<String, usize>::new();
    for run in generate_run_items(&options(1)) {
        *partitions.entry(text(&run, "PK").to_owned()).or_default() += 1;
    }
    let largest = partitions.values().max().unwrap();
    assert!(*largest < RUNS / 50, "{largest}");
}

#[test]
fn starts_that_break_careless_intervals_occur() {
    let runs = generate_run_items(&options(1));
    let mut in_same_instant = HashMap::<(&str, &str), usize>::new();
    for run in &runs {
        *in_same_instant.entry((text(run, "PK"), &text(run, "SK")[..24])).or_default() += 1;
    }
    assert!(in_same_instant.values().any(|&count| count == 4));
    let ends_with = |suffix: &str| runs.iter().any(|run| text(run, "SK")[..24].ends_with(suffix));
    assert!(ends_with("-01T00:00:00.000Z"));
    assert!(ends_with("-31T23:59:59.999Z") && ends_with("-28T23:59:59.999Z"));
}

#[test]
fn runs_at_a_month_boundary_stay_in_the_period() {
    for day in NaiveDate::from_ymd_opt(2024, 1, 1).unwrap().iter_days().take(400) {
        let options = SeedOptions { runs: 50, seed: 3, now: midnight(day) };
        for start in generate_run_items(&options).iter().map(start) {
            assert!(period(&options).contains(&start), "{start} {day}");
        }
    }
}

#[test]
fn some_runs_are_unfinished_and_some_have_no_cost() {
    let runs = generate_run_items(&options(1));
    let recent = period(&options(1)).end - chrono::Duration::days(2);
    let unfinished: Vec<_> = runs.iter().filter(|run| !run.contains_key("finished_ts")).map(start).collect();
    assert!(
        unfinished.iter().any(|&start| start < recent) && unfinished.iter().any(|&start| start >= recent)
    );
    assert!(runs.iter().any(|run| !run.contains_key("credit_cost")));
}

#[test]
fn runs_refer_to_things_that_existed_then_or_are_unknown() {
    let directory = generate_directory(1);
    let mut known = HashMap::new();
    for item in directory.items() {
        let id = text(&item, "SK").rsplit('#').next().unwrap();
        let id = if id == "WORKBOOK" { text(&item, "PK").trim_start_matches("WORKBOOK#") } else { id };
        let created = text(&item, "created_ts").to_owned();
        known.insert(id.to_owned(), (created, text(&item, "deleted_ts").to_owned()));
    }
    let mut unknown = HashSet::new();
    let mut deleted_since = HashSet::new();
    for run in generate_run_items(&options(1)) {
        let workspace = text(&run, "PK").split_once('#').unwrap().0;
        assert!(known.contains_key(workspace), "{run:?}");
        for id in [workspace, text(&run, "workbook_id"), text(&run, "user_id")] {
            let Some((created, deleted)) = known.get(id) else {
                unknown.insert(id[..4].to_owned());
                continue;
            };
            let started = &text(&run, "SK")[..24];
            assert!(
                created.as_str() <= started && (deleted.is_empty() || started < deleted.as_str()),
                "{run:?}"
            );
            if !deleted.is_empty() {
                deleted_since.insert(id[..4].to_owned());
            }
        }
    }
    assert_eq!(unknown, HashSet::from(["wbk_".to_owned(), "usr_".to_owned()]));
    assert_eq!(deleted_since.len(), 3, "{deleted_since:?}");
}

#[test]
fn all_hostile_names_name_workbooks_and_twenty_name_workspaces() {
    let items = generate_directory(1).items();
    let names_of = |kind: &str| -> HashSet<&str> {
        items
            .iter()
            .filter(|item| text(item, "SK").starts_with(kind))
            .map(|item| text(item, "name"))
            .collect()
    };
    let (workbooks, workspaces) = (names_of("WORKBOOK"), names_of("WORKSPACE#"));
    assert!(names::HOSTILE.iter().all(|name| workbooks.contains(name)));
    assert!(names::HOSTILE[..20].iter().all(|name| workspaces.contains(name)));
    assert!(names::HOSTILE.iter().any(|name| name.chars().count() == 1000));
    let emails: Vec<_> = items.iter().map(|item| text(item, "email")).collect();
    assert!(
        ["=sum@", "-minus@", "+plus@"]
            .iter()
            .all(|start| emails.iter().any(|email| email.starts_with(start)))
    );
}

#[test]
fn emails_are_unique_and_every_member_owns_a_workspace() {
    let directory = generate_directory(1);
    for organization in &directory.organizations {
        let emails: HashSet<_> = organization.members.iter().map(|member| &member.email).collect();
        assert_eq!(emails.len(), organization.members.len());
        for (nth, member) in organization.members.iter().enumerate() {
            let owned =
                organization.workspaces.iter().find(|workspace| workspace.owner == Some(nth)).unwrap();
            assert_eq!(owned.id, member.personal_workspace_id);
        }
    }
}

#[test]
fn deleted_things_keep_their_names() {
    let items = generate_directory(1).items();
    for (kind, name) in [("MEMBER#", "email"), ("WORKSPACE#", "name"), ("WORKBOOK", "name")] {
        let of_kind = items.iter().filter(|item| text(item, "SK").starts_with(kind));
        let mut deleted = of_kind.filter(|item| item.contains_key("deleted_ts")).peekable();
        assert!(deleted.peek().is_some(), "{kind}");
        assert!(deleted.all(|item| !text(item, name).is_empty()), "{kind}");
    }
}

#[test]
fn seeded_users_are_as_promised_and_only_the_sha256_of_a_key_is_stored() {
    let directory = generate_directory(1);
    let users = directory.seeded_users();
    let roles: Vec<_> = users.iter().map(|user| user.role.as_str()).collect();
    assert_eq!(roles, ["admin", "admin", "member", "admin", "admin", "admin"]);
    let items = directory.items();
    assert!(!format!("{items:?}").contains("uex_"));
    let key_of = |user: &SeededUser| {
        use sha2::{Digest, Sha256};
        let partition_key = format!("KEY#{}", hex::encode(Sha256::digest(&user.api_key)));
        items.iter().find(|item| text(item, "PK") == partition_key).unwrap()
    };
    let kinds: Vec<_> = users.iter().map(|user| text(key_of(user), "kind")).collect();
    assert_eq!(kinds, ["personal", "personal", "personal", "organization", "personal", "personal"]);
    for user in &users {
        assert_eq!(user.api_key.len(), 47);
        assert_eq!(text(key_of(user), "organization_id"), user.organization_id);
        assert!(!key_of(user).contains_key("revoked_ts"));
    }
    let refused = |reason: &str| items.iter().filter(|item| item.contains_key(reason)).count();
    assert_eq!((refused("expires_ts"), refused("revoked_ts")), (1, 2));
}
