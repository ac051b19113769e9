use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput};
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;

use super::*;
use crate::dynamo::{number, text};
use crate::export::State;
use crate::export::store::idempotency::IDEMPOTENCY_WINDOW;
use crate::export::tests::export_at;
use crate::timestamp;

const LIMIT: u32 = 5;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_763_900_000, 0).unwrap()
}

fn export() -> DataExport {
    export_at(now())
}

fn idempotency_key() -> IdempotencyKey {
    IdempotencyKey::new("org_1", "usr_1", "key-1", &json!({"a": 1}))
}

fn item(export: &DataExport) -> Item {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(export).unwrap()
}

/// The idempotency record as a request for `export` left it, `age` ago.
fn record_item(export: &DataExport, age: TimeDelta) -> Item {
    Item::from([
        ("data_export_id".to_owned(), text(idempotency_key().record_id)),
        ("export".to_owned(), text(&export.data_export_id)),
        ("body_sha256".to_owned(), text(idempotency_key().body_sha256)),
        ("ttl".to_owned(), number((now() - age + IDEMPOTENCY_WINDOW).timestamp())),
    ])
}

/// A table that answers these calls in this order and no other call.
fn exports(rules: &[&Rule]) -> Exports {
    Exports::new(mock_client!(aws_sdk_dynamodb, rules), "exports".to_owned())
}

async fn create(rules: &[&Rule], export: &DataExport) -> Result<Created, AwsError> {
    let created = exports(rules).create(export, Some(&idempotency_key()), LIMIT, None).await;
    for (index, rule) in rules.iter().enumerate() {
        assert_eq!(rule.num_calls(), 1, "call {index}; the answer was {created:?}");
    }
    created
}

fn gets(key: &str, item: Option<Item>) -> Rule {
    let key = text(key);
    mock!(Client::get_item)
        .match_requests(move |request| {
            request.key().unwrap()["data_export_id"] == key && request.consistent_read() == Some(true)
        })
        .then_output(move || GetItemOutput::builder().set_item(item.clone()).build())
}

fn transacts(is: impl Fn(&TransactWriteItemsInput) -> bool + Send + Sync + 'static) -> Rule {
    mock!(Client::transact_write_items)
        .match_requests(is)
        .then_output(|| TransactWriteItemsOutput::builder().build())
}

/// A cancelled transaction. The codes are those of the export, of its slot and of its idempotency record.
fn cancelled(codes: [&'static str; 3]) -> TransactWriteItemsError {
    let reasons = codes.map(|code| CancellationReason::builder().code(code).build());
    TransactWriteItemsError::TransactionCanceledException(
        TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons.to_vec())).build(),
    )
}

fn cancels(codes: [&'static str; 3]) -> Rule {
    mock!(Client::transact_write_items).then_error(move || cancelled(codes))
}

const NO_ROOM: [&str; 3] = ["None", "ConditionalCheckFailed", "None"];
const MARK_EXISTS: [&str; 3] = ["None", "None", "ConditionalCheckFailed"];
const CONFLICT: [&str; 3] = ["None", "TransactionConflict", "None"];

/// An update that releases the slots of these exports and of no others.
fn releases_slots(ids: &[&str]) -> Rule {
    let mut ids: Vec<_> = ids.iter().map(|id| (*id).to_owned()).collect();
    ids.sort();
    mock!(Client::update_item)
        .match_requests(move |request| {
            let mut left = request.expression_attribute_values().unwrap()[":ids"].as_ss().unwrap().clone();
            left.sort();
            request.key().unwrap()["data_export_id"] == text("ACTIVE#org_1") && left == ids
        })
        .then_output(|| UpdateItemOutput::builder().build())
}

fn unfinished(ids: &[&str]) -> Rule {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    gets("ACTIVE#org_1", Some(Item::from([("unfinished".to_owned(), AttributeValue::Ss(ids))])))
}

#[tokio::test]
async fn an_export_its_slot_and_its_idempotency_record_are_written_in_one_transaction() {
    let whole = transacts(|request| {
        let [export, slot, record] = request.transact_items() else { return false };
        let (export, slot, record) = (export.put().unwrap(), slot.update().unwrap(), record.put().unwrap());
        export.condition_expression() == Some("attribute_not_exists(data_export_id)")
            && export.item()["state"] == text("REQUESTED")
            && slot.condition_expression().unwrap().ends_with("size(unfinished) < :limit")
            && slot.expression_attribute_values().unwrap()[":limit"] == number(LIMIT)
            && record.item()["export"] == export.item()["data_export_id"]
            && record.item()["ttl"] == number(now().timestamp() + 86_400)
    });
    let created = create(&[&gets(&idempotency_key().record_id, None), &whole], &export()).await;
    assert_eq!(created.unwrap(), Created::New);

    let without_key = transacts(|request| request.transact_items().len() == 2);
    let created = exports(&[&without_key]).create(&export(), None, LIMIT, None).await;
    assert_eq!(created.unwrap(), Created::New);
}

#[tokio::test]
async fn a_repeated_request_returns_the_first_export() {
    let first = DataExport { state: State::Completed, ..export() };
    let key = gets(&idempotency_key().record_id, Some(record_item(&first, TimeDelta::hours(23))));
    let record = gets(&first.data_export_id, Some(item(&first)));
    assert_eq!(create(&[&key, &record], &export()).await.unwrap(), Created::Replayed(Box::new(first)));
}

#[tokio::test]
async fn a_request_repeated_at_the_same_time_returns_the_first_export() {
    let first = export();
    let before = gets(&idempotency_key().record_id, None);
    let after = gets(&idempotency_key().record_id, Some(record_item(&first, TimeDelta::zero())));
    let record = gets(&first.data_export_id, Some(item(&first)));
    let created = create(&[&before, &cancels(MARK_EXISTS), &after, &record], &export()).await;
    assert_eq!(created.unwrap(), Created::Replayed(Box::new(first)));
}

#[tokio::test]
async fn a_key_that_was_used_with_another_body_is_refused() {
    let mut other = record_item(&export(), TimeDelta::hours(1));
    other.insert("body_sha256".to_owned(), text("another"));
    let key = gets(&idempotency_key().record_id, Some(other));
    assert_eq!(create(&[&key], &export()).await.unwrap(), Created::KeyReused);
}

#[tokio::test]
async fn an_expired_idempotency_record_is_overwritten() {
    let old = record_item(&export(), TimeDelta::hours(24) + TimeDelta::seconds(1));
    let overwrites = transacts(|request| {
        let record = request.transact_items()[2].put().unwrap();
        record.condition_expression() == Some("attribute_not_exists(data_export_id) OR #ttl < :now")
            && record.expression_attribute_values().unwrap()[":now"] == number(now().timestamp())
    });
    let created = create(&[&gets(&idempotency_key().record_id, Some(old)), &overwrites], &export()).await;
    assert_eq!(created.unwrap(), Created::New);
}

#[test]
fn an_idempotency_key_belongs_to_its_organization_and_user_and_ignores_the_order_of_members() {
    let other_user = IdempotencyKey::new("org_1", "usr_2", "key-1", &json!({"a": 1}));
    let other_organization = IdempotencyKey::new("org_2", "usr_1", "key-1", &json!({"a": 1}));
    assert_ne!(other_organization.record_id, idempotency_key().record_id);
    assert_ne!(other_user.record_id, idempotency_key().record_id);
    assert_ne!(
        IdempotencyKey::new("org_1", "usr_1k", "ey-1", &json!({})).record_id,
        idempotency_key().record_id
    );
    let body = |text| IdempotencyKey::new("o", "u", "k", &serde_json::from_str(text).unwrap()).body_sha256;
    assert_eq!(body(r#"{"a":1,"b":[2]}"#), body(r#"{ "b":[2], "a":1 }"#));
    assert_ne!(body(r#"{"a":1}"#), body(r#"{"a":2}"#));
}

#[tokio::test]
async fn slots_of_finished_exports_are_released_before_a_request_is_refused() {
    let running = DataExport { state: State::InProgress, ..export() };
    let finished = DataExport { state: State::Failed, ..export() };
    let gone = export();
    let slots = unfinished(&[&running.data_export_id, &finished.data_export_id, &gone.data_export_id]);
    let found = vec![item(&finished), item(&running)];
    let read = mock!(Client::batch_get_item)
        .match_requests(|request| request.request_items().unwrap()["exports"].consistent_read() == Some(true))
        .then_output(move || BatchGetItemOutput::builder().responses("exports", found.clone()).build());
    let freed = releases_slots(&[&finished.data_export_id, &gone.data_export_id]);
    let rules = [
        &gets(&idempotency_key().record_id, None),
        &cancels(NO_ROOM),
        &slots,
        &read,
        &freed,
        &transacts(|_| true),
    ];
    assert_eq!(create(&rules, &export()).await.unwrap(), Created::New);
}

#[tokio::test]
async fn a_request_above_the_limit_is_refused() {
    let running = DataExport { state: State::InProgress, ..export() };
    let slots = unfinished(&[&running.data_export_id]);
    let found = vec![item(&running)];
    let read = mock!(Client::batch_get_item)
        .then_output(move || BatchGetItemOutput::builder().responses("exports", found.clone()).build());
    // Nothing is freed, and there is no third try.
    let rules =
        [&gets(&idempotency_key().record_id, None), &cancels(NO_ROOM), &slots, &read, &cancels(NO_ROOM)];
    assert_eq!(create(&rules, &export()).await.unwrap(), Created::LimitReached);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_conflicts_with_another_is_tried_again() {
    let rule = mock!(Client::transact_write_items)
        .sequence()
        .error(|| cancelled(CONFLICT))
        .times(6)
        .output(|| TransactWriteItemsOutput::builder().build())
        .build();
    assert_eq!(exports(&[&rule]).create(&export(), None, LIMIT, None).await.unwrap(), Created::New);
    assert_eq!(rule.num_calls(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_keeps_conflicting_is_an_error() {
    let rule =
        mock!(Client::transact_write_items).sequence().error(|| cancelled(CONFLICT)).repeatedly().build();
    exports(&[&rule]).create(&export(), None, LIMIT, None).await.unwrap_err();
    assert_eq!(rule.num_calls(), 7);
}

#[tokio::test]
async fn only_the_id_of_an_export_is_looked_up() {
    for id in ["", "ACTIVE#org_1", &idempotency_key().record_id, "not-an-id"] {
        assert_eq!(exports(&[]).get(id).await.unwrap(), None);
    }
    let export = export();
    let mut broken = item(&export);
    broken.remove("request");
    let error = exports(&[&gets(&export.data_export_id, Some(broken))]).get(&export.data_export_id).await;
    assert!(matches!(error, Err(AwsError::Corrupt { what, .. }) if what == export.data_export_id));
}

#[tokio::test]
async fn the_history_continues_after_its_cursor() {
    let (newer, older) = (export(), export_at(now() - TimeDelta::hours(1)));
    let cursor = newer.data_export_id.clone();
    let last = Item::from([("data_export_id".to_owned(), text(&older.data_export_id))]);
    let page = vec![item(&older)];
    let rule = mock!(Client::query)
        .match_requests(move |request| {
            let start = request.exclusive_start_key().unwrap();
            start["data_export_id"] == text(&cursor)
                && start["created_ts"] == text(timestamp::to_text(now()))
                && start["user_id"] == text("usr_1")
                && request.scan_index_forward() == Some(false)
                && request.filter_expression() == Some("organization_id = :organization")
        })
        .then_output(move || {
            QueryOutput::builder()
                .set_items(Some(page.clone()))
                .set_last_evaluated_key(Some(last.clone()))
                .build()
        });
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&rule]);
    let exports = Exports::new(client, "exports".to_owned());
    let (page, next) = exports.history("org_1", "usr_1", Some(&newer.data_export_id)).await.unwrap();
    assert_eq!(next, Some(older.data_export_id.clone()));
    assert_eq!(page, [older]);
}
