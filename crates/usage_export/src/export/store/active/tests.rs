use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::error::{ConditionalCheckFailedException, TransactionConflictException};
use aws_smithy_mocks::{Rule, mock, mock_client};
use chrono::DateTime;

use super::*;
use crate::export::tests::export_at;

fn export() -> DataExport {
    export_at(DateTime::from_timestamp(1_763_900_000, 0).unwrap())
}

fn exports(rules: &[&Rule]) -> Exports {
    Exports::new(mock_client!(aws_sdk_dynamodb, rules), "exports".to_owned())
}

fn set(ids: &[&str]) -> AttributeValue {
    AttributeValue::Ss(ids.iter().map(|id| (*id).to_owned()).collect())
}

/// The item of the active exports, without the sets that are empty.
fn item(unfinished: &[&str], running: &[&str], waiting: &[&str]) -> Item {
    let sets = [("unfinished", unfinished), ("running", running), ("waiting", waiting)];
    let sets = sets.into_iter().filter(|(_, ids)| !ids.is_empty());
    sets.map(|(name, ids)| (name.to_owned(), set(ids))).collect()
}

fn updates(expression: &'static str, item: Item) -> Rule {
    mock!(Client::update_item)
        .match_requests(move |update| is(update, expression))
        .then_output(move || UpdateItemOutput::builder().set_attributes(Some(item.clone())).build())
}

fn refuses(expression: &'static str) -> Rule {
    mock!(Client::update_item).match_requests(move |update| is(update, expression)).then_error(|| {
        UpdateItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
    })
}

fn is(update: &UpdateItemInput, expression: &str) -> bool {
    update.key().unwrap()["data_export_id"] == text("ACTIVE#org_1")
        && update.update_expression() == Some(expression)
}

fn gets(item: Item) -> Rule {
    mock!(Client::get_item)
        .match_requests(|request| request.consistent_read() == Some(true))
        .then_output(move || GetItemOutput::builder().set_item(Some(item.clone())).build())
}

/// Answers with the states of these exports. Others are gone.
fn states(states: &[(&str, &str)]) -> Rule {
    let record = |(id, state): &(&str, &str)| {
        Item::from([("data_export_id".to_owned(), text(*id)), ("state".to_owned(), text(*state))])
    };
    let records: Vec<_> = states.iter().map(record).collect();
    mock!(Client::batch_get_item)
        .then_output(move || BatchGetItemOutput::builder().responses("exports", records.clone()).build())
}

const START: &str = "ADD running :ids DELETE waiting :ids";
const WAIT: &str = "ADD waiting :ids";
const RELEASE: &str = "DELETE unfinished :ids, running :ids, waiting :ids";

#[tokio::test]
async fn an_export_runs_if_there_is_room() {
    let start = updates(START, Item::new());
    assert!(exports(&[&start]).start(&export(), 3).await.unwrap());
}

#[tokio::test]
async fn an_export_without_room_waits_where_whoever_makes_room_finds_it() {
    let export = export();
    let id = export.data_export_id.as_str();
    let active = gets(item(&["other", id], &["other"], &[]));
    let states = states(&[("other", "IN_PROGRESS"), (id, "REQUESTED")]);
    let exports = exports(&[&refuses(START), &active, &states, &updates(WAIT, Item::new())]);
    assert!(!exports.start(&export, 1).await.unwrap());
}

#[tokio::test]
async fn room_that_is_made_before_an_export_waits_is_taken() {
    let export = export();
    let id = export.data_export_id.as_str();
    let active = gets(item(&["other", id], &["other"], &[]));
    let states = states(&[("other", "IN_PROGRESS"), (id, "REQUESTED")]);
    let start = updates(START, Item::new());
    let exports = exports(&[&refuses(START), &active, &states, &refuses(WAIT), &start]);
    assert!(exports.start(&export, 1).await.unwrap());
}

#[tokio::test]
async fn slots_of_exports_that_are_finished_or_gone_are_released_before_an_export_waits() {
    let export = export();
    let id = export.data_export_id.as_str();
    let active = gets(item(&["done", id], &["done", "gone"], &["failed"]));
    let states = states(&[("done", "COMPLETED"), ("failed", "FAILED"), (id, "REQUESTED")]);
    let release = mock!(Client::update_item)
        .match_requests(|update| {
            let mut ids = update.expression_attribute_values().unwrap()[":ids"].as_ss().unwrap().clone();
            ids.sort();
            is(update, RELEASE) && ids == ["done", "failed", "gone"]
        })
        .then_output(|| UpdateItemOutput::builder().build());
    // It is not in the sets any more: its claim will say why.
    assert!(exports(&[&refuses(START), &active, &states, &release]).start(&export, 1).await.unwrap());
}

#[tokio::test]
async fn whoever_releases_a_slot_learns_whose_turn_it_is() {
    let export = export();
    let release = updates(RELEASE, item(&["1", "2", "3", "4"], &["2"], &["3", "1", "4"]));
    let active = exports(&[&release]).release_slot(&export).await.unwrap();
    assert_eq!(active.next(3).collect::<Vec<_>>(), ["1", "3"], "the oldest, and no more than there is room");
    assert_eq!(active.next(1).count(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_meets_a_transaction_is_made_again() {
    let conflict =
        || UpdateItemError::TransactionConflictException(TransactionConflictException::builder().build());
    let conflicts = mock!(Client::update_item)
        .sequence()
        .error(conflict)
        .times(6)
        .output(|| UpdateItemOutput::builder().build())
        .build();
    exports(&[&conflicts]).release_slot(&export()).await.unwrap();
    assert_eq!(conflicts.num_calls(), 7);
    let conflicts = mock!(Client::update_item).sequence().error(conflict).repeatedly().build();
    exports(&[&conflicts]).start(&export(), 3).await.unwrap_err();
    assert_eq!(conflicts.num_calls(), 7);
}
