//! What can be done wrong on purpose.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// The condition of a start does not ask whether there is room.
    StartsWithoutRoom,
    /// The condition of a start does not ask whether the export is unfinished.
    StartsFinished,
    /// An export is put among those that wait although there is room by now.
    WaitsDespiteRoom,
    /// Whoever finds an export finished does not pass its turn on.
    FinalIsNotPassedOn,
    /// The last step does not take the export out of `running`.
    KeepsRunning,
}
