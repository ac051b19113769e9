//! The plan of an export is made once, and kept in an object beside the file as soon as another worker may need it: a workspace that
//! is added, renamed or deleted while the export runs changes nothing, whichever worker goes on with it.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use usage_export::error::AwsError;
use usage_export::export::request::NamedIds;
use usage_export::export::{DataExport, Failure, FailureReason};
use usage_records::plan::Plan;

use crate::Worker;
use crate::job::error::PipelineError;
use crate::sink::leftovers::PLAN;

/// Makes the plan of an export. `ids` are those that its request names.
///
/// # Errors
///
/// The directory could not be read.
pub async fn make(worker: &Worker, export: &DataExport, ids: &NamedIds) -> Result<Plan, AwsError> {
    let DataExport { organization_id, request, .. } = export;
    Plan::resolve(&worker.directory, organization_id, request, ids, (worker.clock)()).await
}

/// The ids that the request of an export names. Without them the export would have other rows than were asked for, or all.
///
/// # Errors
///
/// The ids could not be read; [`PipelineError::Permanent`] if they are gone, or not those of the request.
pub async fn named_ids(worker: &Worker, export: &DataExport) -> Result<NamedIds, PipelineError> {
    let lost = |cause: String| {
        let told = "The workspaces and workbooks that the export names could not be read, so the file would have been wrong.";
        PipelineError::Permanent { failure: Failure::new(FailureReason::IdsLost, told), cause }
    };
    match worker.exports.named_ids(export).await {
        Ok(Some(ids)) => Ok(ids),
        Ok(None) => Err(lost("the ids that the request names are gone".to_owned())),
        Err(error) if error.is_permanent() => Err(lost(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// The stored plan of an export; `None` if there is none.
///
/// # Errors
///
/// The bucket could not be read, or what it has is no plan.
pub async fn read(worker: &Worker, export: &DataExport) -> Result<Option<Plan>, AwsError> {
    let (bucket, key) = (&worker.bucket, key(export));
    let object = match bucket.client.get_object().bucket(&bucket.name).key(&key).send().await {
        Ok(object) => object,
        Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
        Err(error) => return Err(AwsError::from_sdk("s3:GetObject")(error)),
    };
    let json = object.body.collect().await.map_err(|error| AwsError::internal(&key, &error))?;
    serde_json::from_slice(&json.into_bytes()).map(Some).map_err(|error| AwsError::internal(&key, &error))
}

/// Stores the plan unless there is another one; returns whether it is stored now.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
///
/// # Errors
///
/// The bucket could not be read or written.
pub async fn write(worker: &Worker, export: &DataExport, plan: &Plan) -> Result<bool, AwsError> {
    let (bucket, key) = (&worker.bucket, key(export));
    let json = serde_json::to_vec(plan).map_err(|error| AwsError::internal(&key, &error))?;
    let put = bucket.client.put_object().bucket(&bucket.name).key(&key).if_none_match("*");
    match put.content_type("application/json").body(ByteStream::from(json)).send().await {
        Ok(_) => Ok(true),
        // It may be this one: its answer was lost, and the SDK sent it again.
        Err(error) if matches!(error.code(), Some("PreconditionFailed" | "ConditionalRequestConflict")) => {
            Ok(read(worker, export).await?.as_ref() == Some(plan))
        }
        Err(error) => Err(AwsError::from_sdk("s3:PutObject")(error)),
    }
}

fn key(export: &DataExport) -> String {
    format!("{}{PLAN}", export.object_prefix())
}
