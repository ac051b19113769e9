//! What callers of the API are told when they are refused, other than for a field of the request. Functions and the API document
//! both take it from here, so the document quotes what callers get.

use http::StatusCode;

use super::{FieldError, Problem};

/// After how many seconds a caller should try again who found no free slot.
const RETRY_AFTER_SECONDS: u32 = 60;

/// 401: the request has no API key.
pub fn no_key() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "Send an API key as \"Authorization: Bearer <api key>\".")
}

/// 401: the key is unknown, expired or revoked. It does not tell which of the three.
pub fn invalid_key() -> Problem {
    let detail = "This API key is unknown, expired or revoked. Use another one.";
    Problem::new(StatusCode::UNAUTHORIZED, detail)
}

/// 403: `x-auth-key` is not `user_id`.
pub fn two_users() -> Problem {
    forbidden("The x-auth-key header and user_id name different users.")
}

/// 403: the personal key is another user's.
pub fn not_the_owner_of_the_key() -> Problem {
    forbidden("A personal API key acts only as its owner: set user_id to the owner's id.")
}

/// 403: the user is not of the organization, or no longer.
pub fn not_a_member() -> Problem {
    forbidden("user_id is not a member of this API key's organization.")
}

/// 403: the user is no administrator.
pub fn not_an_administrator() -> Problem {
    forbidden("Only administrators of the organization may export its usage data.")
}

/// 403: the organization is on another tier.
pub fn other_tier() -> Problem {
    forbidden("Usage data exports are part of the enterprise tier; this organization is on another.")
}

/// 403: the export is another user's.
pub fn export_of_another_user() -> Problem {
    of_field(StatusCode::FORBIDDEN, "data_export_id", "names an export of another user")
}

/// 404: the organization of the key is gone.
pub fn no_organization() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "This API key's organization does not exist.")
}

/// 404: there is no such export.
pub fn no_export() -> Problem {
    of_field(StatusCode::NOT_FOUND, "data_export_id", "names no export")
}

/// 404: a workspace is not the organization's, and as many others are not either.
pub fn no_workspace(workspace_id: &str, others: usize) -> Problem {
    let others = if others == 0 { String::new() } else { format!(" and {others} more") };
    let message = format!("has a workspace that is not in the organization: {workspace_id}{others}");
    of_field(StatusCode::NOT_FOUND, "workspace_ids", &message)
}

/// 404: the file is gone.
pub fn expired() -> Problem {
    let detail = "The file of this export has expired. Start a new export for the same dates.";
    Problem::new(StatusCode::NOT_FOUND, detail)
}

/// 404: the file was made before there were manifests.
pub fn no_manifest() -> Problem {
    let detail = "This export has no manifest, because it was made before there were manifests. Start a new export for the same \
                  dates.";
    Problem::new(StatusCode::NOT_FOUND, detail)
}

/// 409: an export in the state of this name cannot be cancelled.
pub fn finished_already(state: &str) -> Problem {
    let detail = format!("The export is {state} already: there is nothing to cancel.");
    Problem::new(StatusCode::CONFLICT, detail)
}

/// 422: the `Idempotency-Key` came with another body before.
pub fn key_reused() -> Problem {
    let detail = "This Idempotency-Key was used with another body. Use a new key for a new export.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}

/// 429: the organization has as many unfinished exports as it may.
pub fn no_free_slot(active_limit: u32) -> Problem {
    let detail = format!(
        "The organization already has {active_limit} unfinished exports. Try again when one of them has finished."
    );
    too_many(detail, Some(RETRY_AFTER_SECONDS))
}

/// 429: the key has made more than `limit` requests in a window of so many seconds, of which some are left.
pub fn too_many_requests(limit: u32, window_seconds: i64, seconds_left: i64) -> Problem {
    let detail = format!(
        "This API key has made more than {limit} requests in {window_seconds} seconds. Wait as long as Retry-After says, \
         then ask less often: the status of an export changes every few seconds."
    );
    too_many(detail, u32::try_from(seconds_left).ok())
}

fn forbidden(detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, detail)
}

fn of_field(status: StatusCode, field: &str, message: &str) -> Problem {
    Problem::new(status, "").with_errors(vec![FieldError::new(field, message)])
}

fn too_many(detail: String, retry_after: Option<u32>) -> Problem {
    Problem { retry_after, ..Problem::new(StatusCode::TOO_MANY_REQUESTS, detail) }
}
