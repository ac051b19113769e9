//! The email of an outcome: once, and never in the way of the export.

use export_worker::{Disposition, Worker};
use integration_tests::run;
use usage_export::error::AwsError;
use usage_export::export::DataExport;

use crate::faults::{answer, no_answer};
use crate::world::{World, let_pass, now};

/// From now on SES answers with this error code, and quotes the address. The emulator refuses no email.
fn let_ses_say(world: &World, status: u16, code: &str) {
    let address = &world.org.admin.email;
    let body = format!(r#"{{"__type":"{code}","message":"Email address {address} is the matter"}}"#);
    world.faults.on("SendEmail", move |_, _| std::future::ready(answer(status, body.clone())));
}

async fn notify_owner(worker: &Worker, export: &DataExport) -> Result<(), AwsError> {
    notification::notify_owner(&worker.mailer, &worker.directory, &worker.exports, export, now()).await
}

async fn stored(world: &World) -> DataExport {
    world.worker().exports.get(&world.id).await.unwrap().unwrap()
}

#[test]
fn a_mail_that_ses_throttles_is_sent_by_the_next_delivery() {
    run(async {
        let world = World::new().await;
        let_ses_say(&world, 429, "TooManyRequestsException");
        assert!(matches!(world.process(1).await, Disposition::Retry(_)));
        let export = world.export().await;
        assert_eq!(export["state"], "COMPLETED", "a mail that cannot be sent undoes nothing");
        assert!(export.get("notified_ts").is_none(), "the claim is given back");
        assert!(world.subjects().await.is_empty());

        world.recover();
        for delivery in 2..4 {
            assert_eq!(world.process(delivery).await, Disposition::Acknowledge);
            assert_eq!(world.subjects().await.len(), 1);
        }
    });
}

#[test]
fn a_mail_without_an_answer_that_can_be_read_is_not_sent_again() {
    run(async {
        let world = World::new().await;
        world.faults.on("SendEmail", async |_, _| answer(200, "{"));
        for delivery in 1..3 {
            assert_eq!(world.process(delivery).await, Disposition::Acknowledge);
        }
        assert_eq!(world.faults.sent("SendEmail").len(), 1);
        assert!(world.export().await["notified_ts"].is_string(), "SES may have taken it");
    });
}

#[test]
fn what_ses_says_of_an_address_stays_out_of_errors() {
    run(async {
        let world = World::new().await;
        let_ses_say(&world, 400, "LimitExceededException");
        world.set("state", "COMPLETED").await;
        let error = notify_owner(&world.worker(), &stored(&world).await).await.expect_err("a limit");
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(text.contains("LimitExceededException"), "{text}");
            assert!(!text.contains('@') && !text.contains("example.com"), "{text}");
        }
    });
}

#[test]
fn a_mail_that_ses_cannot_accept_as_it_is_is_not_tried_again() {
    run(async {
        let world = World::new().await;
        let_ses_say(&world, 400, "BadRequestException");
        for delivery in 1..3 {
            assert_eq!(world.process(delivery).await, Disposition::Acknowledge);
        }
        assert_eq!(world.faults.sent("SendEmail").len(), 1);
        let export = world.export().await;
        assert_eq!(export["state"], "COMPLETED");
        assert!(export["notified_ts"].is_string() && export.get("unsettled").is_none());
    });
}

/// An operator can verify an identity, or have a suspension lifted. A server that is broken or busy has not sent it.
#[test]
fn a_mail_that_ses_refuses_for_now_is_tried_for_a_day() {
    run(async {
        for (status, code) in [
            (400, "MessageRejected"),
            (400, "MailFromDomainNotVerifiedException"),
            (404, "NotFoundException"),
            (400, "AccountSuspendedException"),
            (400, "SendingPausedException"),
        ] {
            let world = World::new().await;
            let_ses_say(&world, status, code);
            assert!(matches!(world.process(1).await, Disposition::Retry(_)), "{code}");
            let export = world.export().await;
            assert_eq!((&export["state"], &export["unsettled"]), (&"COMPLETED".into(), &"unsettled".into()));
            world.recover();
            assert_eq!(world.process(2).await, Disposition::Acknowledge);
            assert_eq!(world.subjects().await.len(), 1, "{code}");
        }
        let world = World::new().await;
        let_ses_say(&world, 400, "MessageRejected");
        assert!(matches!(world.process(1).await, Disposition::Retry(_)));
        let_pass(25 * 3600);
        assert_eq!(world.process(2).await, Disposition::Acknowledge, "given up");
        assert!(world.export().await.get("unsettled").is_none());
    });
}

#[test]
fn a_server_error_without_a_code_is_no_email() {
    run(async {
        for status in [500, 503] {
            let world = World::new().await;
            world.faults.on("SendEmail", move |_, _| std::future::ready(answer(status, "busy")));
            assert!(matches!(world.process(1).await, Disposition::Retry(_)), "{status}");
            world.recover();
            assert_eq!(world.process(2).await, Disposition::Acknowledge);
            assert_eq!(world.subjects().await.len(), 1, "{status}");
        }
        // A gateway does not know what became of the request.
        let world = World::new().await;
        world.faults.on("SendEmail", async |_, _| answer(504, "no answer"));
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!(world.faults.sent("SendEmail").len(), 1);
    });
}

#[test]
fn a_claim_that_is_given_back_after_another_delivery_settled_is_found_again() {
    run(async {
        let world = World::new().await;
        world.set("state", "COMPLETED").await;
        world.set("finished_ts", integration_tests::records::timestamp(now())).await;
        let_ses_say(&world, 429, "TooManyRequestsException");
        let worker = world.worker();
        let export = stored(&world).await;
        worker.exports.claim_notification(&world.id, "one", now()).await.unwrap();
        // Another delivery finds the email claimed, so nothing is left for it to do.
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        assert!(world.export().await.get("unsettled").is_none());
        worker.exports.release_notification(&world.id, "one", now()).await.unwrap();
        assert_eq!(world.export().await["unsettled"], "unsettled");
        world.recover();
        assert_eq!(world.process(1).await, Disposition::Acknowledge);
        assert_eq!((world.subjects().await.len(), export.notified_ts), (1, None));
    });
}

#[test]
fn a_claim_of_the_email_without_an_answer_is_given_back() {
    run(async {
        let world = World::new().await;
        world.set("state", "COMPLETED").await;
        world.faults.on("UpdateItem", async |call, _| {
            let update = call.sent.json();
            let is_claim = update["UpdateExpression"].as_str().unwrap().starts_with("SET notified_ts");
            let answer = call.send().await;
            if is_claim { no_answer() } else { answer }
        });
        assert!(matches!(world.process(1).await, Disposition::Retry(_)));
        assert!(world.export().await.get("notified_ts").is_none());
        world.recover();
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        assert_eq!(world.subjects().await.len(), 1);
    });
}

#[test]
fn an_owner_who_is_unknown_or_left_gets_no_mail() {
    run(async {
        for left in [true, false] {
            let world = World::new().await;
            let owner = &world.org.admin.user_id;
            if left {
                world.org.delete_member(owner).await;
            } else {
                world.org.remove_member(owner).await;
            }
            assert_eq!(world.process(1).await, Disposition::Acknowledge);
            assert_eq!(world.export().await["state"], "COMPLETED");
            assert!(world.subjects().await.is_empty(), "left: {left}");
        }
    });
}

#[test]
fn two_workers_that_end_at_the_same_time_send_one_mail() {
    run(async {
        let world = World::new().await;
        world.set("state", "COMPLETED").await;
        let export = stored(&world).await;
        let worker = world.worker();
        let (one, other) = tokio::join!(notify_owner(&worker, &export), notify_owner(&worker, &export));
        one.and(other).expect("both succeed");
        assert_eq!(world.subjects().await.len(), 1);

        // Nor does one that finds the claim taken between its read and its update.
        assert!(export.notified_ts.is_none());
        notify_owner(&worker, &export).await.expect("content");
        assert_eq!(world.subjects().await.len(), 1);
        assert_eq!(world.faults.sent("SendEmail").len(), 1);
    });
}

/// The claim came first: a mail too few, and never one too many.
#[test]
fn an_email_that_was_claimed_is_not_sent_again() {
    run(async {
        let world = World::new().await;
        world.set("state", "COMPLETED").await;
        world.set("notified_ts", "2025-11-23T12:00:00.000Z").await;
        assert_eq!(world.process(2).await, Disposition::Acknowledge);
        assert!(world.subjects().await.is_empty());
    });
}

#[test]
fn an_organization_that_cannot_be_read_keeps_no_email_back() {
    run(async {
        for is_removed in [true, false] {
            let world = World::new().await;
            if is_removed {
                world.org.remove_organization().await;
            } else {
                world.org.strip_organization().await;
            }
            for delivery in 1..3 {
                assert_eq!(world.process(delivery).await, Disposition::Acknowledge);
                assert_eq!(world.subjects().await.len(), 1, "the organization is removed: {is_removed}");
            }
            assert_eq!(world.export().await["state"], "COMPLETED");
        }
    });
}
