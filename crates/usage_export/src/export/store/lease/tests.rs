use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_smithy_mocks::{Rule, mock, mock_client};

use super::*;
use crate::dynamo::number;
use crate::export::store::finish::Completed;
use crate::export::tests::export_at;
use crate::export::{Cost, Counts, Failure, FailureReason, PartNumbers, Position, SideObject};

const LEASE_OWNER: &str = "worker-1";
const PROGRESS: Progress = Progress { percent: 40, rows: 12 };
const SPEED: Speed = Speed { rows_per_second: Some(5), estimated_finish_ts: None };

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_763_900_000, 0).unwrap()
}

fn export(state: State) -> DataExport {
    DataExport { state, ..export_at(now()) }
}

fn lease(data_export_id: &str) -> Lease {
    Lease { key: data_export_id.to_owned(), owner: LEASE_OWNER.to_owned(), epoch: 3 }
}

fn completed() -> Completed {
    let counts = Counts { read: 5, filtered: 2, written: 3, bytes: 99, read_units: 7 };
    let checksum = "crc32:0a1b2c3d".to_owned();
    let etag = "\"9b2-1\"".to_owned();
    Completed {
        counts,
        checksum,
        etag,
        manifest: manifest(),
        credit_cost: Some("0.1".to_owned()),
        expires_ts: now() + TimeDelta::days(30),
        cost: Cost { s3_requests: 8, worker_ms: 900 },
    }
}

fn why() -> Failure {
    Failure::new(FailureReason::Technical, "why")
}

fn manifest() -> SideObject {
    SideObject { key: "exports/org_1/1.manifest.1.1.json".to_owned(), bytes: 300, crc32: 7 }
}

fn exports(rules: &[&Rule]) -> Exports {
    Exports::new(mock_client!(aws_sdk_dynamodb, rules), "exports".to_owned())
}

/// An update that succeeds, after which the export is like this.
fn updates(export: &DataExport, is: impl Fn(&UpdateItemInput) -> bool + Send + Sync + 'static) -> Rule {
    let item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(export).unwrap();
    mock!(Client::update_item)
        .match_requests(is)
        .then_output(move || UpdateItemOutput::builder().set_attributes(Some(item.clone())).build())
}

/// An update whose condition does not hold.
fn refuses() -> Rule {
    mock!(Client::update_item).then_error(|| {
        UpdateItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
    })
}

/// DynamoDB answers with an error that the SDK does not retry.
fn breaks() -> Rule {
    let body =
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no table"}"#;
    mock!(Client::update_item).sequence().http_status(400, Some(body.to_owned())).build()
}

fn gets(export: Option<&DataExport>) -> Rule {
    let item: Option<Item> = export.map(|export| serde_dynamo::aws_sdk_dynamodb_1::to_item(export).unwrap());
    mock!(Client::get_item)
        .match_requests(|request| request.consistent_read() == Some(true))
        .then_output(move || GetItemOutput::builder().set_item(item.clone()).build())
}

fn value<'a>(update: &'a UpdateItemInput, name: &str) -> Option<&'a AttributeValue> {
    update.expression_attribute_values()?.get(name)
}

#[tokio::test]
async fn a_claim_holds_the_export_for_the_length_of_a_lease() {
    let taken = export(State::InProgress);
    let rule = updates(&taken, |update| {
        value(update, ":owner") == Some(&text(LEASE_OWNER))
            && value(update, ":now") == Some(&text("2025-11-23T12:13:20.000Z"))
            && value(update, ":until") == Some(&text("2025-11-23T12:14:20.000Z"))
            && update.update_expression().unwrap().contains("ADD attempts :one")
    });
    let claim = exports(&[&rule]).claim(&taken.data_export_id, LEASE_OWNER, now()).await.unwrap();
    assert_eq!(claim, Claim::Claimed(Box::new(taken)));
}

#[tokio::test]
async fn a_claim_that_fails_says_why() {
    let until = now() + TimeDelta::seconds(30);
    let busy = DataExport { lease_until: Some(until), ..export(State::InProgress) };
    let given_back = export(State::InProgress);
    let done = export(State::Completed);
    let failed = export(State::Failed);
    for (found, claim) in [
        (Some(&busy), Claim::Busy(until)),
        (Some(&given_back), Claim::Busy(given_back.created_ts)),
        (Some(&done), Claim::Finished(Box::new(done.clone()))),
        (Some(&failed), Claim::Finished(Box::new(failed.clone()))),
        (None, Claim::Unknown),
    ] {
        let exports = exports(&[&refuses(), &gets(found)]);
        assert_eq!(exports.claim(&busy.data_export_id, LEASE_OWNER, now()).await.unwrap(), claim);
    }
    let error = exports(&[&breaks()]).claim(&busy.data_export_id, LEASE_OWNER, now()).await.unwrap_err();
    assert_eq!(error.to_string(), "dynamodb:UpdateItem: ResourceNotFoundException: no table");
}

#[tokio::test]
async fn an_item_that_is_not_an_export_cannot_be_claimed() {
    // The update's condition fails for an item without a state; no read of that item follows.
    let claim = exports(&[&refuses()]).claim("ACTIVE#org_1", LEASE_OWNER, now()).await.unwrap();
    assert_eq!(claim, Claim::Unknown);
}

#[tokio::test]
async fn a_worker_without_the_lease_changes_nothing() {
    let id = export(State::InProgress).data_export_id;
    let checkpoint = Checkpoint {
        upload_id: Some("upload".to_owned()),
        join_from: None,
        parts: PartNumbers::default(),
        crc32: 7,
        tail: None,
        manifest: manifest(),
        position: Some(Position { partition_key: "wsp_1#2025-01".to_owned(), sort_key: "x".to_owned() }),
        counts: Counts::default(),
        all_read: false,
    };
    let lost =
        |result: Result<(), LeaseError>| assert!(matches!(result, Err(LeaseError::Lost)), "{result:?}");
    let refusing = || exports(&[&refuses()]);
    lost(refusing().renew(&lease(&id), PROGRESS, SPEED, now()).await);
    lost(refusing().save_checkpoint(&lease(&id), 1, &checkpoint, PROGRESS, now()).await);
    lost(refusing().release(&lease(&id), now()).await);
    let unfinished = export(State::InProgress);
    let refusing = || exports(&[&refuses(), &gets(Some(&unfinished))]);
    lost(refusing().complete(&lease(&id), &completed(), now()).await.map(|_| ()));
    lost(refusing().fail(&lease(&id), &why(), now()).await.map(|_| ()));

    let broken = exports(&[&breaks()]).renew(&lease(&id), PROGRESS, SPEED, now()).await;
    assert!(matches!(broken, Err(LeaseError::Aws(_))), "a lost connection is no lost lease: {broken:?}");
}

#[tokio::test]
async fn every_step_has_the_lease_owner_as_a_condition() {
    let taken = export(State::InProgress);
    let id = taken.data_export_id.clone();
    let guarded = |update: &UpdateItemInput| {
        update.condition_expression()
            == Some("#state = :in_progress AND lease_owner = :owner AND epoch = :epoch")
            && value(update, ":owner") == Some(&text(LEASE_OWNER))
            && value(update, ":epoch") == Some(&number(3))
            && value(update, ":in_progress") == Some(&text("IN_PROGRESS"))
    };
    let step = || updates(&taken, guarded);
    exports(&[&step()]).renew(&lease(&id), PROGRESS, SPEED, now()).await.unwrap();
    exports(&[&step()]).release(&lease(&id), now()).await.unwrap();
    exports(&[&step()]).complete(&lease(&id), &completed(), now()).await.unwrap();
    exports(&[&step()]).fail(&lease(&id), &why(), now()).await.unwrap();
}

#[tokio::test]
async fn a_renewal_saves_what_is_known_of_the_speed_and_removes_the_rest() {
    let taken = export(State::InProgress);
    let id = taken.data_export_id.clone();
    let estimated_finish_ts = Some(now());
    for (speed, expected) in [
        (SPEED, "row_count = :rows, rows_per_second = :rows_per_second REMOVE estimated_finish_ts"),
        (Speed::default(), "row_count = :rows REMOVE rows_per_second, estimated_finish_ts"),
        (
            Speed { estimated_finish_ts, ..SPEED },
            "row_count = :rows, rows_per_second = :rows_per_second, estimated_finish_ts = :estimated_finish_ts",
        ),
    ] {
        let renewal = updates(&taken, move |update| {
            update.update_expression().unwrap().ends_with(expected)
                && value(update, ":rows_per_second") == speed.rows_per_second.map(number).as_ref()
        });
        exports(&[&renewal]).renew(&lease(&id), PROGRESS, speed, now()).await.unwrap();
    }
}

#[tokio::test]
async fn a_record_outlives_its_file() {
    let done = export(State::Completed);
    let complete = updates(&done, |update| {
        // The record lives 90 days longer than its file, which lives 30.
        value(update, ":ttl") == Some(&number(now().timestamp() + 120 * 86_400))
            && value(update, ":rows") == Some(&number(3))
            && update.update_expression().unwrap().contains("REMOVE lease_owner, lease_until, checkpoint")
    });
    let answer = exports(&[&complete]).complete(&lease(&done.data_export_id), &completed(), now()).await;
    assert_eq!(answer.unwrap(), done);
}

#[tokio::test]
async fn the_email_of_an_outcome_is_claimed_once() {
    let done = export(State::Completed);
    let once = updates(&done, |update| {
        update.condition_expression()
            == Some("attribute_not_exists(notified_ts) AND #state IN (:completed, :failed)")
    });
    let by_another = DataExport { notified_by: Some("another".to_owned()), ..done.clone() };
    let by_this = DataExport { notified_by: Some("this".to_owned()), ..done.clone() };
    let claim =
        async |rules: &[&Rule]| exports(rules).claim_notification(&done.data_export_id, "this", now()).await;
    assert!(claim(&[&once]).await.unwrap());
    assert!(!claim(&[&refuses(), &gets(Some(&by_another))]).await.unwrap());
    assert!(claim(&[&refuses(), &gets(Some(&by_this))]).await.unwrap(), "the answer to its claim was lost");
    claim(&[&breaks()]).await.unwrap_err();
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_the_claim_of_who_made_it() {
    let taken = DataExport { lease_owner: Some(LEASE_OWNER.to_owned()), ..export(State::InProgress) };
    let claim =
        exports(&[&refuses(), &gets(Some(&taken))]).claim(&taken.data_export_id, LEASE_OWNER, now()).await;
    assert_eq!(claim.unwrap(), Claim::Claimed(Box::new(taken)));
}

#[tokio::test]
async fn a_last_step_whose_answer_was_lost_is_the_last_step() {
    let done = export(State::Completed);
    let exports = exports(&[&refuses(), &gets(Some(&done))]);
    assert_eq!(exports.complete(&lease(&done.data_export_id), &completed(), now()).await.unwrap(), done);
}

#[tokio::test]
async fn an_end_is_counted_by_whoever_made_it() {
    let done = DataExport { finished_ts: Some(now()), ..export(State::Completed) };
    let id = &done.data_export_id;
    let is_own = async |end| {
        let exports = exports(&[&refuses(), &gets(Some(&done))]);
        let update = exports.update_as(&lease(id));
        exports.finish(id, update, end).await.unwrap().1
    };
    assert!(is_own((State::Completed, None, now())).await, "its answer was lost");
    assert!(!is_own((State::Completed, None, now() + TimeDelta::seconds(1))).await, "another one's");
    assert!(!is_own((State::Failed, Some(FailureReason::Technical), now())).await, "another end");
    let exports = exports(&[&updates(&done, |_| true)]);
    let update = exports.update_as(&lease(id));
    assert!(exports.finish(id, update, (State::Completed, None, now())).await.unwrap().1);
}

#[tokio::test]
async fn a_worker_gives_back_only_its_own_claim_of_an_email() {
    let done = export(State::Completed);
    let given_back = updates(&done, |update| {
        update.condition_expression().unwrap().starts_with("notified_by = :claimant")
            && value(update, ":claimant") == Some(&text("this"))
    });
    exports(&[&given_back]).release_notification(&done.data_export_id, "this", now()).await.unwrap();
    exports(&[&refuses()]).release_notification(&done.data_export_id, "this", now()).await.unwrap_err();
}
