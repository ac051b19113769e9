//! Saving the form of an export while calls fail.

use integration_tests::run;
use usage_export::directory::saved_export::SavedExport;
use usage_export::problem::RequestError;

use crate::faults::{answer, error, no_answer};
use crate::world::{World, now};

const FORM: &str = r#"{"fields":["run_id"]}"#;

/// What DynamoDB answers where the first item is there already.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
const CONFLICT: &str = r#"{
    "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    "CancellationReasons": [{"Code": "ConditionalCheckFailed"}, {"Code": "None"}]
}"#;

fn monthly(user_id: &str) -> SavedExport {
    SavedExport::new("Monthly billing", "Last month".to_owned(), user_id, now()).unwrap()
}

#[test]
fn saving_whose_answer_is_lost_is_no_conflict_with_itself() {
    run(async {
        let world = World::new().await;
        let directory = world.worker().directory;
        // The first attempt is taken. The second comes after the ten minutes for which DynamoDB knows it again.
        world.faults.on("TransactWriteItems", async |call, nth| match nth {
            0 => call.send().await.and_then(|_| no_answer()),
            _ => answer(400, CONFLICT),
        });
        let saved = monthly("usr_1");
        directory.save_export(&world.org.id, &saved, FORM.to_owned(), false).await.unwrap();
        assert_eq!(world.faults.sent("TransactWriteItems").len(), 2, "it was sent again");
        let found = directory.saved_export(&world.org.id, &saved.id).await.unwrap();
        assert_eq!(found, Some((saved.clone(), FORM.as_bytes().to_vec())));
        assert_eq!(directory.saved_exports(&world.org.id).await.unwrap(), [saved]);

        // Another one of the same name is.
        let refused = directory.save_export(&world.org.id, &monthly("usr_2"), FORM.to_owned(), false).await;
        assert!(matches!(refused, Err(RequestError::Refused(problem)) if problem.status == 409));
    });
}

#[test]
fn of_two_who_save_under_one_name_at_once_one_is_refused() {
    run(async {
        let world = World::new().await;
        let directory = world.worker().directory;
        let (one, two) = (monthly("usr_1"), monthly("usr_2"));
        let save = |saved| directory.save_export(&world.org.id, saved, FORM.to_owned(), false);
        let (first, second) = tokio::join!(save(&one), save(&two));
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        let kept = if first.is_ok() { one } else { two };
        assert_eq!(directory.saved_exports(&world.org.id).await.unwrap(), [kept]);
    });
}

#[test]
fn deleting_that_stopped_half_way_can_be_done_again() {
    run(async {
        let world = World::new().await;
        let directory = world.worker().directory;
        let saved = monthly("usr_1");
        directory.save_export(&world.org.id, &saved, FORM.to_owned(), false).await.unwrap();
        // The second of two calls fails, and all its attempts.
        world.faults.on("DeleteItem", async |call, nth| {
            if nth == 0 { call.send().await } else { error(400, "AccessDeniedException") }
        });
        directory.delete_saved_export(&world.org.id, &saved.id).await.unwrap_err();
        assert_eq!(directory.saved_exports(&world.org.id).await.unwrap(), []);
        assert_eq!(directory.saved_export(&world.org.id, &saved.id).await.unwrap(), None);
        world.recover();
        directory.delete_saved_export(&world.org.id, &saved.id).await.unwrap();
        // The name is free, and what is saved under it has its own form.
        let other = monthly("usr_2");
        directory.save_export(&world.org.id, &other, "{}".to_owned(), false).await.unwrap();
        let found = directory.saved_export(&world.org.id, &other.id).await.unwrap();
        assert_eq!(found, Some((other, b"{}".to_vec())));
    });
}
