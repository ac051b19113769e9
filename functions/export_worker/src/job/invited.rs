//! Processes an invitation: reads segments of an export that another worker owns, as long as there are any.

use usage_export::export::DataExport;

use crate::job::attempts::delay;
use crate::job::board::Board;
use crate::job::error::PipelineError;
use crate::job::handover::Handover;
use crate::job::lanes::{Lanes, Role};
use crate::job::meter::Meter;
use crate::job::setup::Setup;
use crate::job::{heartbeat, segment};
use crate::{Delivery, Disposition, Worker};

/// Processes one invitation. It may come twice, late, or never: whoever owns the export reads what nobody else does.
pub async fn process(worker: &Worker, data_export_id: &str, delivery: &Delivery<'_>) -> Disposition {
    let id = data_export_id;
    let export = match worker.exports.get(id).await {
        Ok(Some(export)) if !export.state.is_final() && export.next_segment.is_some() => export,
        Ok(_) => return Disposition::Acknowledge,
        Err(error) => {
            tracing::warn!(data_export_id = id, error = %error, "an invitation to export {id} waits: {error}");
            return Disposition::Retry(delay(delivery.receives));
        }
    };
    let board = Board::new(export.next_segment.clone());
    // On the heap, because it is large.
    let meter = Meter::begin(&worker.bucket.requests);
    let work = Box::pin(read(worker, &export, &board, &meter, delivery));
    let outcome = heartbeat::keep_hidden(worker, delivery, work).await;
    segment::release_all(worker, &board).await;
    worker.exports.add_cost(id, meter.cost()).await;
    match outcome {
        Ok(()) => Disposition::Acknowledge,
        Err(error) => {
            tracing::warn!(data_export_id = id, error = %error, "nothing was read of export {id}: {error}");
            Disposition::Retry(delay(delivery.receives))
        }
    }
}

/// Reads segments. If there are some left when this worker has to stop, another one is invited in its place.
async fn read(
    worker: &Worker,
    export: &DataExport,
    board: &Board,
    meter: &Meter,
    delivery: &Delivery<'_>,
) -> Result<(), PipelineError> {
    let Some(setup) = Setup::of_invited(worker, export, meter).await? else { return Ok(()) };
    let handover = Handover::before(delivery.deadline, worker);
    Lanes { setup: &setup, board, role: Role::Invited, handover }.run().await;
    let has_to_hand_over = tokio::time::Instant::now() >= handover.at && !board.leaves_export();
    if has_to_hand_over && segment::is_export_open(&setup).await? {
        worker.queue.invite(export).await?;
    }
    Ok(())
}
