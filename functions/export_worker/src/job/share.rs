//! How many workers may read one export. An organization has as many as it may have running exports, so that those of others find workers
//! too; exports that run at the same time share them.

use std::collections::BTreeSet;

use usage_export::error::AwsError;
use usage_export::export::DataExport;
use uuid::Uuid;

use crate::Worker;

/// How many workers the export may have now, at least its own.
///
/// # Errors
///
/// The exports that run could not be read.
pub async fn of(worker: &Worker, export: &DataExport) -> Result<usize, AwsError> {
    let running = worker.exports.count_running(&export.organization_id).await?;
    Ok(share(worker.splitting.max_workers, worker.max_running, running))
}

/// A name for the worker of an export's owner, which others recognize.
pub fn id_of_owner() -> Uuid {
    Uuid::from_u128(Uuid::new_v4().as_u128() >> 32)
}

/// Whether an invited worker is beyond the share of its export. The owner's comes first, the others in the order of their names.
pub fn is_beyond(share: usize, own: &str, others: &BTreeSet<String>) -> bool {
    let is_of_owner = |id: &str| id.starts_with("00000000-");
    let before = others.iter().filter(|other| !is_of_owner(other) && other.as_str() < own).count();
    1 + before >= share
}

fn share(max_workers: u32, max_running: u32, running: usize) -> usize {
    let [max_workers, max_running] =
        [max_workers, max_running].map(|it| usize::try_from(it).unwrap_or(usize::MAX));
    // An operator who lets one export have more workers than exports may run wants a single export to have them.
    (max_workers.max(max_running) / running.max(1)).clamp(1, max_workers.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_workers_stay_as_are_in_the_share() {
        let owner = id_of_owner().to_string();
        let invited: BTreeSet<_> = (0..fastrand::usize(1..9)).map(|_| Uuid::new_v4().to_string()).collect();
        for has_segments in [true, false] {
            for share in 1..12 {
                let stays = |own: &&String| {
                    let others = invited.iter().chain(has_segments.then_some(&owner));
                    !is_beyond(share, own, &others.filter(|other| other != own).cloned().collect())
                };
                assert_eq!(1 + invited.iter().filter(stays).count(), share.min(1 + invited.len()));
            }
        }
    }

    #[test]
    fn exports_that_run_at_the_same_time_share_the_workers() {
        let shares = |max_workers, max_running| {
            [0, 1, 2, 3, 4, 9].map(|running| share(max_workers, max_running, running))
        };
        assert_eq!(shares(2, 3), [2, 2, 1, 1, 1, 1]);
        assert_eq!(shares(1, 3), [1; 6]);
        assert_eq!(shares(10, 3), [10, 10, 5, 3, 2, 1]);
        assert_eq!(shares(2, 9), [2, 2, 2, 2, 2, 1]);
        assert_eq!(shares(0, 0), [1; 6]);
    }
}
