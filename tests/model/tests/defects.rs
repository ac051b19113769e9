//! Each defect is found: some property does not hold any more.

use model_tests::properties::*;
use model_tests::world::ROWS;
use model_tests::{Defect, Life};
use stateright::{Checker, HasDiscoveries, Model};

/// Looks for the shortest run of a model with a defect in which a property does not hold, and prints it.
fn find(defect: Defect, variations: u8, faults: u8, property: &'static str) {
    let rows = match defect {
        // Only the small export has them, whose file is one request.
        Defect::PutReplacesFile | Defect::PutByAnyClaim => 1,
        // They take more parts than a worker may send before it saves.
        Defect::SaveWithoutLease | Defect::WritesIgnoreEpoch => ROWS + 2,
        _ => ROWS,
    };
    let life = Life { rows, variations, faults, defect: Some(defect) };
    let until_found = HasDiscoveries::AnyOf([property].into());
    let checker = life.checker().finish_when(until_found).spawn_bfs().join();
    let path = checker.discovery(property);
    let path =
        path.unwrap_or_else(|| panic!("{defect:?} is not found; {} states", checker.unique_state_count()));
    println!("{defect:?}: {:?}", path.into_actions());
}

/// Declares a test for each defect: how many variations and faults it takes, and which property does not hold.
macro_rules! defects {
    ($($test:ident: $defect:ident, $variations:literal, $faults:literal, $property:ident;)*) => {
        $(#[test]
        fn $test() {
            find(Defect::$defect, $variations, $faults, $property);
        })*

        #[test]
        fn the_readme_has_every_defect_and_the_property_that_finds_it() {
            let readme = include_str!("../README.md");
            for (defect, property) in [$((Defect::$defect, $property)),*] {
                let row = readme.lines().find(|line| line.contains(&format!("`{defect:?}`")));
                assert!(row.is_some_and(|row| row.contains(property)), "{defect:?}: {property}");
            }
        }
    };
}

defects! {
    an_export_is_created_with_a_message: NoMessageAfterCreate, 0, 0, CARRIED;
    without_a_reconciler_an_export_is_stuck: NoReconciler, 0, 1, NEVER_STUCK;
    a_finished_export_needs_the_reconciler_too: OnlyUnfinishedReconciled, 0, 2, NEVER_STUCK;
    a_continuation_is_sent_before_the_message_is_acknowledged: AcknowledgesBeforeSending, 1, 1, CARRIED;
    a_long_export_needs_fresh_attempts: AttemptsNeverReset, 3, 0, FAILS_FOR_A_REASON;
    a_plan_that_is_not_frozen_mixes_two_files: PlanNotFrozen, 1, 1, RIGHT_FILE;
    a_part_number_needs_the_epoch: PartNumberWithoutEpoch, 1, 1, PARTS_STAY;
    few_parts_are_sent_before_one_is_saved: TooManyUnsavedParts, 1, 1, PARTS_STAY;
    only_the_lease_owner_saves: SaveWithoutLease, 0, 1, FAILS_FOR_A_REASON;
    every_write_names_the_epoch: WritesIgnoreEpoch, 0, 3, PARTS_STAY;
    a_late_save_must_not_turn_back: LateSaveTurnsBack, 1, 2, FAILS_FOR_A_REASON;
    a_tail_needs_a_key_of_its_own: TailKeyWithoutEpoch, 2, 1, FAILS_FOR_A_REASON;
    a_tail_is_deleted_after_the_save: FormerTailDeletedFirst, 2, 1, FAILS_FOR_A_REASON;
    the_upload_is_completed_after_all_read: CompletesBeforeAllReadIsSaved, 0, 1, FAILS_FOR_A_REASON;
    a_cancelled_export_stays_cancelled: CompleteIgnoresState, 0, 1, FINAL_STATE_STAYS;
    an_email_is_claimed: EmailNotClaimed, 0, 1, ONE_EMAIL;
    an_email_is_not_repeated: EmailRepeated, 0, 1, ONE_EMAIL;
    the_claim_of_an_email_has_a_token: EmailClaimWithoutToken, 0, 1, EMAIL_IS_SENT;
    an_email_given_back_is_not_settled: GiveBackLeavesSettled, 0, 2, EMAIL_IS_SENT;
    settling_needs_a_claimed_email: SettlesWithoutEmailClaim, 0, 2, EMAIL_IS_SENT;
    a_file_is_put_only_if_there_is_none: PutReplacesFile, 0, 3, FILE_STAYS;
    a_file_is_put_only_by_the_first_claim: PutByAnyClaim, 0, 3, FAILS_FOR_A_REASON;
    leftovers_of_a_completed_export_are_deleted: NothingDeletedOfCompleted, 0, 1, NOTHING_LEFT;
    leftovers_are_deleted: NothingDeleted, 0, 0, NOTHING_LEFT;
    every_upload_is_aborted: AbortsOnlyTheNewestUpload, 0, 1, NOTHING_LEFT;
    uploads_are_aborted_before_files_are_deleted: FileDeletedBeforeAbort, 0, 2, NO_FILE_OF_FAILED;
    the_owner_of_a_cancelled_export_is_waited_for: CleansUpBesideTheOwner, 0, 1, NOTHING_LEFT;
}
