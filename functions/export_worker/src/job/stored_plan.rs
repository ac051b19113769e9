//! The plan of an export is made once, at the first claim, and kept in an object beside the file: a workspace that is added,
//! renamed or deleted while the export runs changes nothing, whichever worker goes on with it.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use usage_export::error::AwsError;
use usage_export::export::DataExport;
use usage_export::export::request::NamedIds;
use usage_records::plan::Plan;

use crate::Worker;
use crate::job::error::PipelineError;
use crate::sink::bucket::Bucket;
use crate::sink::leftovers::PLAN;

/// The plan of an export: the one that a former worker made, or a new one. `ids` are those that its request names.
///
/// # Errors
///
/// The directory or the bucket could not be read or written.
pub async fn plan_of(worker: &Worker, export: &DataExport, ids: &NamedIds) -> Result<Plan, AwsError> {
    let key = format!("{}{PLAN}", export.object_prefix());
    // The first worker finds none, so it does not look for one.
    if export.epoch > 1
        && let Some(plan) = read(&worker.bucket, &key).await?
    {
        return Ok(plan);
    }
    let DataExport { organization_id, request, .. } = export;
    let plan = Plan::resolve(&worker.directory, organization_id, request, ids, (worker.clock)()).await?;
    if write(&worker.bucket, &key, &plan).await? {
        return Ok(plan);
    }
    let made = read(&worker.bucket, &key).await?;
    made.ok_or_else(|| AwsError::unexpected(&key, "the plan is there and is not there"))
}

/// The ids that the request of an export names. Without them the export would have other rows than were asked for, or all.
///
/// # Errors
///
/// The ids could not be read; [`PipelineError::Permanent`] if they are gone, or not those of the request.
pub async fn named_ids(worker: &Worker, export: &DataExport) -> Result<NamedIds, PipelineError> {
    let lost = |cause: String| {
        PipelineError::Permanent {
        reason: "The workspaces and workbooks that the export names could not be read, so the file would have been wrong."
            .to_owned(),
        cause,
    }
    };
    match worker.exports.named_ids(export).await {
        Ok(Some(ids)) => Ok(ids),
        Ok(None) => Err(lost("the ids that the request names are gone".to_owned())),
        Err(error) if error.is_permanent() => Err(lost(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

async fn read(bucket: &Bucket, key: &str) -> Result<Option<Plan>, AwsError> {
    let object = match bucket.client.get_object().bucket(&bucket.name).key(key).send().await {
        Ok(object) => object,
        Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
        Err(error) => return Err(AwsError::from_sdk("s3:GetObject")(error)),
    };
    let json = object.body.collect().await.map_err(|error| AwsError::internal(key, &error))?;
    serde_json::from_slice(&json.into_bytes()).map(Some).map_err(|error| AwsError::internal(key, &error))
}

/// Writes the plan unless there is one; returns whether there was none.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
async fn write(bucket: &Bucket, key: &str, plan: &Plan) -> Result<bool, AwsError> {
    let json = serde_json::to_vec(plan).map_err(|error| AwsError::internal(key, &error))?;
    let put = bucket.client.put_object().bucket(&bucket.name).key(key).if_none_match("*");
    match put.content_type("application/json").body(ByteStream::from(json)).send().await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.code(), Some("PreconditionFailed" | "ConditionalRequestConflict")) => {
            Ok(false)
        }
        Err(error) => Err(AwsError::from_sdk("s3:PutObject")(error)),
    }
}
