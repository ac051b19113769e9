//! Defects that the model can have, to see that it finds them. The README tells what each one leads to.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Defect {
    NoMessageAfterCreate,
    NoReconciler,
    OnlyUnfinishedReconciled,
    AcknowledgesBeforeSending,
    AttemptsNeverReset,
    PlanNotFrozen,
    PartNumberWithoutEpoch,
    NextPartBeforeSave,
    SaveWithoutLease,
    WritesIgnoreEpoch,
    LateSaveTurnsBack,
    TailKeyWithoutEpoch,
    FormerTailDeletedFirst,
    CompletesBeforeAllReadIsSaved,
    CompleteIgnoresState,
    EmailNotClaimed,
    EmailRepeated,
    EmailClaimWithoutToken,
    GiveBackLeavesSettled,
    SettlesWithoutEmailClaim,
    NothingDeleted,
    AbortsOnlyTheNewestUpload,
    FileDeletedBeforeAbort,
    CleansUpBesideTheOwner,
}
