//! Tells the outcome of an export to its owner, in one email.
//!
//! [`notify_owner`] claims the email and sends it; [`email`] writes it.

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::BuildError;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use chrono::{DateTime, TimeDelta, Utc};
use usage_export::config::{self, ConfigError, Origin};
use usage_export::directory::Directory;
use usage_export::error::AwsError;
use usage_export::export::DataExport;
use usage_export::export::store::Exports;
use usage_export::metrics::{self, Metric};
use uuid::Uuid;

use crate::email::{Email, NAMED_WORKSPACES, Names};

pub mod email;

/// With these codes SES refuses the email itself. Sending it again would not help.
/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors>
const PERMANENT_REFUSALS: [&str; 1] = ["BadRequestException"];

/// How long after the end of an export its email is tried. Until then an operator can verify an identity that is not
/// verified yet, or lift a suspension.
const SEND_FOR: TimeDelta = TimeDelta::hours(24);

/// How errors name the call.
const SEND_EMAIL: &str = "ses:SendEmail";

/// Sends emails through SES, one attempt each.
#[derive(Debug, Clone)]
pub struct Mailer {
    /// A client of SES that does not retry by itself: an attempt without an answer may have sent the email.
    pub client: Client,
    /// The address that the emails come from.
    pub from: String,
    /// The configuration set of SES that receives bounces and complaints.
    pub configuration_set: Option<String>,
    /// The origin of the settings page, for the links.
    pub page_origin: Origin,
}

impl Mailer {
    /// Reads the settings from the environment. It makes no call.
    ///
    /// # Errors
    ///
    /// A variable is missing or malformed.
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        let email = config::Email::from_env()?;
        // An attempt without an answer may have sent the email, so the SDK must not repeat it.
        let ses = aws_sdk_sesv2::config::Builder::from(aws).retry_config(RetryConfig::disabled());
        Ok(Self {
            client: Client::from_conf(ses.build()),
            from: email.from,
            configuration_set: email.configuration_set,
            page_origin: Origin::from_env()?,
        })
    }
}

/// Sends the email of an export's outcome, unless it was sent before.
///
/// The email is claimed first, and the claim is released only when SES refused the email or was not reached. So a worker
/// that dies before SES answers, or an answer that is lost, costs the email rather than sending it twice; the history page
/// shows the same outcome.
///
/// # Errors
///
/// The email was not sent and its claim is released: a retry may send it.
pub async fn notify_owner(
    mailer: &Mailer,
    directory: &Directory,
    exports: &Exports,
    export: &DataExport,
    now: DateTime<Utc>,
) -> Result<(), AwsError> {
    let id = &export.data_export_id;
    if export.notified_ts.is_some() {
        return Ok(());
    }
    let email = email_to_owner(mailer, directory, exports, export).await?;
    let claimant = Uuid::new_v4().to_string();
    // Also an email that goes to nobody is claimed: the export has no email left to send.
    if !claim(exports, id, &claimant, now).await? {
        return Ok(());
    }
    let Some((to, email)) = email else {
        tracing::warn!(data_export_id = id, "the owner of export {id} is unknown or left: no email");
        return Ok(());
    };
    let sent = mailer.send(&to, email).await;
    for metric in metrics_of(&sent, export, now) {
        metrics::count(metric, export, now);
    }
    match sent {
        Ok(()) => {
            tracing::info!(data_export_id = id, "sent the email of export {id}");
            Ok(())
        }
        Err(AwsError::Refused { code, .. }) if is_permanent(&code) => {
            // SES's message may hold the address, so only its code is logged.
            tracing::error!(data_export_id = id, code, "SES refused the email of export {id}: {code}");
            Ok(())
        }
        Err(AwsError::Transport { request_sent: true, cause, .. }) => {
            tracing::error!(
                data_export_id = id,
                error = cause,
                "SES did not answer, so the email of export {id} may not have been sent: {cause}"
            );
            Ok(())
        }
        Err(error) if is_too_late(export, now) => {
            tracing::error!(data_export_id = id, error = %error, "the email of export {id} is given up: {error}");
            Ok(())
        }
        Err(error) => {
            exports.release_notification(id, &claimant, now).await?;
            Err(error)
        }
    }
}

fn is_permanent(code: &str) -> bool {
    PERMANENT_REFUSALS.contains(&code)
}

fn is_too_late(export: &DataExport, now: DateTime<Utc>) -> bool {
    export.finished_ts.is_some_and(|finished_ts| now - finished_ts > SEND_FOR)
}

/// What an attempt to send is counted as.
fn metrics_of(sent: &Result<(), AwsError>, export: &DataExport, now: DateTime<Utc>) -> Vec<Metric> {
    let Err(error) = sent else { return vec![Metric::EmailsSent] };
    let (is_refused, is_lost) = match error {
        AwsError::Refused { code, .. } => (true, is_permanent(code)),
        AwsError::Transport { request_sent, .. } => (false, *request_sent),
        _ => (false, false),
    };
    let lost = is_lost || is_too_late(export, now);
    [(is_refused, Metric::EmailsRefused), (lost, Metric::EmailsLost)]
        .into_iter()
        .filter_map(|(counts, metric)| counts.then_some(metric))
        .collect()
}

/// Claims the email. A claim without an answer may have taken place: it is given back, because nobody sends the email.
async fn claim(exports: &Exports, id: &str, claimant: &str, now: DateTime<Utc>) -> Result<bool, AwsError> {
    let claimed = exports.claim_notification(id, claimant, now).await;
    if claimed.is_err()
        && let Err(error) = exports.release_notification(id, claimant, now).await
    {
        tracing::warn!(data_export_id = id, error = %error, "no claim of the email of export {id} is given back: {error}");
    }
    claimed
}

/// The email and the owner's address; `None` if the owner is no longer a member.
async fn email_to_owner(
    mailer: &Mailer,
    directory: &Directory,
    exports: &Exports,
    export: &DataExport,
) -> Result<Option<(String, Email)>, AwsError> {
    let owner = directory.member(&export.organization_id, &export.user_id).await?;
    let Some(owner) = owner.filter(|owner| owner.deleted_ts.is_none()) else { return Ok(None) };
    let names = Names {
        organization: organization_name(directory, export).await?,
        workspaces: workspace_names(directory, exports, export).await?,
    };
    let email = email::compose(export, &names, &mailer.page_origin)
        .map_err(|error| AwsError::internal("email", &error))?;
    Ok(Some((owner.email, email)))
}

/// The name of the export's organization; empty if its record is missing or cannot be read, which keeps no email back.
async fn organization_name(directory: &Directory, export: &DataExport) -> Result<String, AwsError> {
    let organization = match directory.organization(&export.organization_id).await {
        Err(error) if error.is_permanent() => None,
        found => found?,
    };
    Ok(organization.map(|organization| organization.name).unwrap_or_default())
}

/// The names of the first workspaces that the request names. Without its ids, which may be why it failed, the email says how
/// many there are.
async fn workspace_names(
    directory: &Directory,
    exports: &Exports,
    export: &DataExport,
) -> Result<Vec<String>, AwsError> {
    if export.request.scope.workspace_count == 0 {
        return Ok(Vec::new());
    }
    let ids = match exports.named_ids(export).await {
        Err(error) if error.is_permanent() => None,
        ids => ids?,
    };
    let named = ids.into_iter().flat_map(|ids| ids.workspace_ids).take(NAMED_WORKSPACES).collect();
    let workspaces = directory.workspaces_of(&export.organization_id, &named).await?;
    Ok(workspaces.into_values().map(|workspace| workspace.name).collect())
}

impl Mailer {
    async fn send(&self, to: &str, email: Email) -> Result<(), AwsError> {
        let content = content(email).map_err(|error| AwsError::internal("email", &error))?;
        let sent = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(to).build())
            .content(content)
            .set_configuration_set_name(self.configuration_set.clone())
            .send()
            .await;
        sent.map_err(|error| match &error {
            // A gateway that got no answer from SES, or an answer that nobody can read: SES may have taken the email.
            SdkError::ServiceError(_) if error.code().is_none() && !is_refusal(&error) => {
                AwsError::Transport { operation: SEND_EMAIL, request_sent: true, cause: error.to_string() }
            }
            SdkError::ServiceError(_) => AwsError::Refused {
                operation: SEND_EMAIL,
                code: error.code().unwrap_or_default().to_owned(),
                // SES quotes addresses in its messages.
                message: "see the code".to_owned(),
            },
            _ => AwsError::from_sdk(SEND_EMAIL)(error),
        })?;
        Ok(())
    }
}

/// Whether an answer without an error code says nevertheless that the email was not taken: a server that is busy or broken
/// says so before it does anything.
fn is_refusal<E>(error: &SdkError<E>) -> bool {
    error.raw_response().is_some_and(|response| matches!(response.status().as_u16(), 429 | 500 | 503))
}

fn content(email: Email) -> Result<EmailContent, BuildError> {
    let utf8 = |data: String| Content::builder().charset("UTF-8").data(data).build();
    let body = Body::builder().text(utf8(email.text)?).html(utf8(email.html)?).build();
    let message = Message::builder().subject(utf8(email.subject)?).body(body).build();
    Ok(EmailContent::builder().simple(message).build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use usage_export::export::request::ExportCall;

    fn finished_at(now: DateTime<Utc>) -> DataExport {
        let body = br#"{"user_id": "usr_1", "export_fields": ["run_id"], "start_date": "2025-01-01",
            "end_date": "2025-01-31", "include_all_workspaces": true}"#;
        let request = ExportCall::parse(body).unwrap().request;
        DataExport { finished_ts: Some(now), ..DataExport::new("org_1", "usr_1", request, now) }
    }

    #[test]
    fn each_outcome_of_an_email_is_counted() {
        let then = DateTime::from_timestamp(1_767_600_000, 0).unwrap();
        let export = finished_at(then);
        let refused = |code: &str| {
            let (code, message) = (code.to_owned(), String::new());
            Err(AwsError::Refused { operation: SEND_EMAIL, code, message })
        };
        let unanswered = |request_sent| {
            Err(AwsError::Transport { operation: SEND_EMAIL, request_sent, cause: String::new() })
        };
        let (soon, late) = (then + TimeDelta::hours(1), then + TimeDelta::hours(25));
        for (sent, now, metrics) in [
            (Ok(()), late, &[Metric::EmailsSent][..]),
            (refused("MessageRejected"), soon, &[Metric::EmailsRefused]),
            (refused("MessageRejected"), late, &[Metric::EmailsRefused, Metric::EmailsLost]),
            (refused(PERMANENT_REFUSALS[0]), soon, &[Metric::EmailsRefused, Metric::EmailsLost]),
            (unanswered(true), soon, &[Metric::EmailsLost]),
            (unanswered(false), soon, &[]),
            (unanswered(false), late, &[Metric::EmailsLost]),
        ] {
            assert_eq!(metrics_of(&sent, &export, now), metrics, "{sent:?}");
        }
    }
}
