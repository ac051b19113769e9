//! The email of an outcome: once, and never in the way of the export.

use aws_sdk_sesv2::Client as Ses;
use aws_smithy_mocks::{Rule, mock};
use export_worker::Disposition;
use export_worker::job::process;
use export_worker::notify::notify_owner;
use usage_export::dynamo::text;
use usage_export::export::State;

use crate::world::{OWNER_ADDRESS, World, condition_failed, locked};

/// SES answers with this error code, and quotes the address.
fn ses_says(status: u16, code: &str) -> Rule {
    let body = format!(r#"{{"__type":"{code}","message":"Email address {OWNER_ADDRESS} is the matter"}}"#);
    mock!(Ses::send_email).sequence().http_status(status, Some(body)).repeatedly().build()
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_ses_throttles_is_sent_by_the_next_delivery() {
    let mut world = World::new();
    world.ses(ses_says(429, "TooManyRequestsException"));
    assert!(matches!(process(&world.worker(), &world.id, "worker", 1).await, Disposition::Retry(_)));
    assert_eq!(world.export().state, State::Completed, "a mail that cannot be sent undoes nothing");
    assert!(!world.has("notified_ts"), "the claim is given back");

    world.recover();
    for delivery in 2..4 {
        assert_eq!(process(&world.worker(), &world.id, "worker", delivery).await, Disposition::Acknowledge);
        assert_eq!(world.subjects().len(), 1);
    }
}

#[tokio::test]
async fn a_mail_without_an_answer_that_can_be_read_is_not_sent_again() {
    let mut world = World::new();
    let rule = mock!(Ses::send_email).sequence().http_status(200, Some("{".to_owned())).repeatedly().build();
    world.ses(rule.clone());
    for delivery in 1..3 {
        assert_eq!(process(&world.worker(), &world.id, "worker", delivery).await, Disposition::Acknowledge);
    }
    assert_eq!(rule.num_calls(), 1);
    assert!(world.has("notified_ts"), "SES may have taken it");
}

#[tokio::test(start_paused = true)]
async fn what_ses_says_of_an_address_stays_out_of_errors() {
    let mut world = World::new();
    world.ses(ses_says(400, "LimitExceededException"));
    world.set("state", text("COMPLETED"));
    let error = notify_owner(&world.worker(), &world.export()).await.expect_err("a limit");
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(text.contains("LimitExceededException"), "{text}");
        assert!(!text.contains('@') && !text.contains("example.com"), "{text}");
    }
}

#[tokio::test]
async fn a_mail_that_ses_refuses_for_good_is_not_tried_again() {
    for code in [
        "MessageRejected",
        "MailFromDomainNotVerifiedException",
        "NotFoundException",
        "BadRequestException",
        "AccountSuspendedException",
    ] {
        let mut world = World::new();
        let rule = ses_says(400, code);
        world.ses(rule.clone());
        for delivery in 1..3 {
            assert_eq!(
                process(&world.worker(), &world.id, "worker", delivery).await,
                Disposition::Acknowledge
            );
        }
        assert_eq!(rule.num_calls(), 1, "{code}");
        assert_eq!(world.export().state, State::Completed);
        assert!(world.has("notified_ts"));
    }
}

#[tokio::test]
async fn an_owner_who_is_unknown_or_left_gets_no_mail() {
    for left in [true, false] {
        let world = World::new();
        {
            let directory = &mut locked(&world.state).directory;
            if left {
                let owner = directory.get_mut("MEMBER#usr_1").expect("the owner");
                owner.insert("deleted_ts".to_owned(), text("2025-11-01T00:00:00.000Z"));
            } else {
                directory.remove("MEMBER#usr_1");
            }
        }
        assert_eq!(process(&world.worker(), &world.id, "worker", 1).await, Disposition::Acknowledge);
        assert_eq!(world.export().state, State::Completed);
        assert!(world.subjects().is_empty(), "left: {left}");
    }
}

#[tokio::test]
async fn two_workers_that_end_at_the_same_time_send_one_mail() {
    let mut world = World::new();
    world.set("state", text("COMPLETED"));
    let export = world.export();
    let worker = world.worker();
    let (one, other) = tokio::join!(notify_owner(&worker, &export), notify_owner(&worker, &export));
    one.and(other).expect("both are content");
    assert_eq!(world.subjects().len(), 1);

    // Nor does one that finds the claim taken between its read and its update.
    world.dynamodb(mock!(aws_sdk_dynamodb::Client::update_item).then_error(condition_failed));
    notify_owner(&world.worker(), &export).await.expect("content");
    assert_eq!(world.subjects().len(), 1);
}

/// The claim came first: a mail too few, and never one too many.
#[tokio::test]
async fn a_worker_that_died_after_its_claim_is_not_followed_by_a_second_mail() {
    let world = World::new();
    world.set("state", text("COMPLETED"));
    world.set("notified_ts", text("2025-11-23T12:00:00.000Z"));
    assert_eq!(process(&world.worker(), &world.id, "worker", 2).await, Disposition::Acknowledge);
    assert!(world.subjects().is_empty());
}
