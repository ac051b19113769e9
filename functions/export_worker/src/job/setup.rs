//! What everything has in common that a worker reads of an export.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use usage_export::error::AwsError;
use usage_export::export::DataExport;
use usage_export::export::manifest::ResolvedScope;
use usage_export::export::request::NamedIds;
use usage_records::plan::Plan;
use usage_records::query::UsageRecords;
use usage_records::selection::Selection;
use uuid::Uuid;

use crate::Worker;
use crate::job::error::PipelineError;
use crate::job::meter::Meter;
use crate::job::piece::Piece;
use crate::job::{share, stored_plan};

/// An export as this worker makes it, whatever part of it.
pub struct Setup<'a> {
    /// The clients and settings.
    pub worker: &'a Worker,
    /// The export as it was when this worker took it up.
    pub export: &'a DataExport,
    /// By what the leases of this worker are known as those of one worker.
    pub worker_id: Uuid,
    /// The table that is read, at one pace for all lanes.
    pub usage_records: UsageRecords,
    /// What is read of each partition.
    pub selection: Arc<Selection>,
    /// Which partitions are read.
    pub plan: Plan,
    /// Only runs of these workbooks are wanted; empty for all.
    entity_ids: BTreeSet<String>,
    /// What this worker has used.
    pub meter: &'a Meter,
    /// Whether the plan is in the bucket.
    plan_is_stored: AtomicBool,
}

impl<'a> Setup<'a> {
    /// Reads what an export needs. A worker that has its lease makes the plan if there is none.
    ///
    /// # Errors
    ///
    /// A call failed, or the ids that the request names are gone.
    pub async fn of_owner(
        worker: &'a Worker,
        export: &'a DataExport,
        meter: &'a Meter,
    ) -> Result<Self, PipelineError> {
        let ids = stored_plan::named_ids(worker, export).await?;
        // The first worker finds none, so it does not look for one.
        let stored = if export.epoch > 1 { stored_plan::read(worker, export).await? } else { None };
        let is_stored = stored.is_some();
        let plan = match stored {
            Some(plan) => plan,
            None => stored_plan::make(worker, export, &ids).await?,
        };
        Self::new(worker, share::id_of_owner(), export, plan, is_stored, ids, meter)
    }

    /// Reads what an export needs that another worker has split. `None` if it has no plan: then it is finished.
    ///
    /// # Errors
    ///
    /// As for [`Setup::of_owner`].
    pub async fn of_invited(
        worker: &'a Worker,
        export: &'a DataExport,
        meter: &'a Meter,
    ) -> Result<Option<Self>, PipelineError> {
        let ids = stored_plan::named_ids(worker, export).await?;
        match stored_plan::read(worker, export).await? {
            Some(plan) => Self::new(worker, Uuid::new_v4(), export, plan, true, ids, meter).map(Some),
            None => Ok(None),
        }
    }

    fn new(
        worker: &'a Worker,
        worker_id: Uuid,
        export: &'a DataExport,
        plan: Plan,
        is_stored: bool,
        ids: NamedIds,
        meter: &'a Meter,
    ) -> Result<Self, PipelineError> {
        let request = &export.request;
        let selection = Selection::new(request.interval, &request.fields, &ids.entity_ids)
            .map_err(|error| AwsError::internal("row layout", &error))?;
        Ok(Self {
            worker,
            export,
            worker_id,
            usage_records: worker.usage_records.for_export(),
            selection: Arc::new(selection),
            plan,
            entity_ids: ids.entity_ids,
            meter,
            plan_is_stored: AtomicBool::new(is_stored),
        })
    }

    /// Which workspaces and workbooks are read, for the manifest of the file. That of a segment does without: it is joined to the first.
    pub fn scope_of(&self, piece: &Piece) -> ResolvedScope {
        if piece.is_export { self.plan.scope(self.entity_ids.clone()) } else { ResolvedScope::default() }
    }

    /// Stores the plan before anything is saved that another worker goes on with. An export that one worker makes from the beginning to the
    /// end does without.
    ///
    /// # Errors
    ///
    /// A call failed, or a former owner of the lease has stored another plan meanwhile. The next attempt finds it.
    pub async fn store_plan(&self) -> Result<(), AwsError> {
        if self.plan_is_stored.load(Ordering::Relaxed) {
            return Ok(());
        }
        if !stored_plan::write(self.worker, self.export, &self.plan).await? {
            return Err(AwsError::unexpected(
                &self.export.data_export_id,
                "another plan was stored meanwhile",
            ));
        }
        self.plan_is_stored.store(true, Ordering::Relaxed);
        Ok(())
    }
}
