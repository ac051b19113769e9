//! Keeps what was claimed while its file is made: renews the lease and hides the message, both by a timer.
//!
//! A worker that is killed stops both. Its lease then ends within a minute, and its message comes back half a minute later.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};
use usage_export::export::store::lease::{LEASE, Lease, LeaseError};

use crate::job::error::PipelineError;
use crate::job::progress::{Reading, Speedometer};
use crate::{Delivery, Worker};

/// How often the lease is renewed, and progress and speed saved. A cancelled export is noticed after this time at the latest.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(2);

/// How long the message stays hidden from other workers after it was last hidden. It outlasts the lease, so that whoever gets
/// the message next finds the export free.
pub const VISIBILITY: Duration = Duration::from_secs(90);

/// How often the message is hidden anew.
const VISIBILITY_INTERVAL: Duration = Duration::from_secs(30);

/// When it is hidden first. Before that the queue's visibility time-out hides it, which is longer: if the worker dies so soon, the reconciler
/// sends another message. A small export is finished by then.
const HIDE_FROM: Duration = Duration::from_secs(2);

/// Does `work`, and meanwhile renews the lease of an export or a segment.
///
/// `work` is dropped, and with it every call that it has in flight, as soon as the lease is lost or could not be renewed for
/// as long as it lasts: from then on another worker may have it.
///
/// # Errors
///
/// Those of `work`; [`PipelineError::LeaseLost`], or why the lease could not be renewed.
pub async fn keep_lease<T>(
    worker: &Worker,
    lease: &Lease,
    told: &watch::Receiver<Reading>,
    work: impl Future<Output = Result<T, PipelineError>>,
) -> Result<T, PipelineError> {
    tokio::select! {
        outcome = work => outcome,
        error = renew(worker, lease, told) => Err(error),
    }
}

/// Does `work`, and meanwhile hides the message from other workers.
pub async fn keep_hidden<T>(worker: &Worker, delivery: &Delivery<'_>, work: impl Future<Output = T>) -> T {
    tokio::select! {
        outcome = work => outcome,
        never = hide(worker, delivery) => match never {},
    }
}

/// Renews the lease until that fails.
async fn renew(worker: &Worker, lease: &Lease, told: &watch::Receiver<Reading>) -> PipelineError {
    let mut ticks = interval(RENEWAL_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The claim was the first renewal.
    let (mut renewed, length) = (Instant::now(), LEASE.to_std().unwrap_or_default());
    let key = &lease.key;
    let mut speedometer = Speedometer::default();
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let started = Instant::now();
        let (reading, now) = (*told.borrow(), (worker.clock)());
        let speed = speedometer.speed(reading, now);
        let renewal = worker.exports.renew(lease, reading.progress, speed, now);
        match tokio::time::timeout_at(renewed + length, renewal).await {
            Ok(Ok(())) => renewed = started,
            Ok(Err(LeaseError::Aws(error))) if renewed.elapsed() < length => {
                tracing::warn!(error = %error, "the lease of {key} is not renewed yet: {error}");
            }
            Ok(Err(LeaseError::Aws(error))) => return PipelineError::Aws(error),
            // Or it could not be renewed in time.
            Ok(Err(LeaseError::Lost)) | Err(_) => return PipelineError::LeaseLost,
        }
    }
}

/// Hides the message for ever.
async fn hide(worker: &Worker, delivery: &Delivery<'_>) -> std::convert::Infallible {
    let mut ticks = interval_at(Instant::now() + HIDE_FROM, VISIBILITY_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        delivery.hide(worker, VISIBILITY).await;
    }
}
