//! Submits an export: checks it against the directory, puts it into the table, sends its id to the worker.
//!
//! The API and the settings page both submit through this module, so an export is the same whichever was used.

use std::collections::BTreeSet;

use super::DataExport;
use super::queue::ExportQueue;
use super::request::ExportRequest;
use super::store::Exports;
use super::store::create::Created;
use super::store::idempotency::IdempotencyKey;
use crate::audit::AuditTrail;
use crate::audit::event::EventType;
use crate::auth::Caller;
use crate::auth::attempt::Attempt;
use crate::directory::Directory;
use crate::problem::{RequestError, refusal};

/// Makes exports from requests.
#[derive(Debug, Clone)]
pub struct Submitter {
    /// Where the workspaces of a request are looked up.
    pub directory: Directory,
    /// The table into which the export is put.
    pub exports: Exports,
    /// Where it is recorded who asked for it.
    pub audit_trail: AuditTrail,
    /// Sends the export's id to the worker.
    pub queue: ExportQueue,
    /// The slots of an organization: unfinished exports that it may have.
    pub active_limit: u32,
}

impl Submitter {
    /// Makes a new export, or returns the one that the same request made before.
    ///
    /// Once the export is in the table it will be made: if its message is not sent, because SQS cannot be reached or this
    /// process dies, the reconciler sends it within two minutes.
    ///
    /// # Errors
    ///
    /// 404 for a workspace that is not the organization's, 422 for an `Idempotency-Key` that came with another body, 429
    /// without a free slot. An internal error if a call to the tables failed; the export may have been made.
    pub async fn submit(
        &self,
        caller: &Caller,
        request: ExportRequest,
        idempotency_key: Option<&IdempotencyKey>,
        attempt: &Attempt,
    ) -> Result<DataExport, RequestError> {
        self.check_workspaces(&caller.organization_id, &request.scope.workspace_ids).await?;
        let export = DataExport::new(&caller.organization_id, &caller.user_id, request, attempt.now);
        let event = attempt.event(caller, EventType::ExportRequested).of_export(&export.data_export_id);
        let event = self.audit_trail.write_of(&event)?;
        match self.exports.create(&export, idempotency_key, self.active_limit, Some(event)).await? {
            Created::New => {
                let id = &export.data_export_id;
                self.queue.send_if_possible(&export).await;
                let organization_id = &export.organization_id;
                tracing::info!(data_export_id = id, organization_id, "accepted export {id}");
                Ok(export)
            }
            Created::Replayed(first) => Ok(*first),
            Created::KeyReused => Err(refusal::key_reused().into()),
            Created::LimitReached => Err(refusal::no_free_slot(self.active_limit).into()),
        }
    }

    /// Makes sure that all of these workspaces belong to the organization.
    ///
    /// # Errors
    ///
    /// 404 that names one which does not. An internal error if the directory cannot be read.
    pub async fn check_workspaces(
        &self,
        organization_id: &str,
        workspace_ids: &BTreeSet<String>,
    ) -> Result<(), RequestError> {
        if workspace_ids.is_empty() {
            return Ok(());
        }
        let known = self.directory.workspaces_of(organization_id, workspace_ids).await?;
        let unknown: Vec<_> = workspace_ids.iter().filter(|id| !known.contains_key(*id)).collect();
        let Some(first) = unknown.first() else { return Ok(()) };
        Err(refusal::no_workspace(first, unknown.len() - 1).into())
    }
}
