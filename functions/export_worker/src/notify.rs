//! Sends the email of an export's outcome to the export owner, once.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::BuildError;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use usage_export::config::Origin;
use usage_export::error::AwsError;
use usage_export::export::DataExport;
use uuid::Uuid;

use crate::Worker;
use crate::email::{self, Email, NAMED_WORKSPACES};

/// With these codes SES refuses the email itself. Sending it again would not help.
/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors>
const PERMANENT_REFUSALS: [&str; 5] = [
    "MessageRejected",
    "MailFromDomainNotVerifiedException",
    "NotFoundException",
    "BadRequestException",
    "AccountSuspendedException",
];

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

/// Sends the email of an export's outcome, unless it was sent before.
///
/// The email is claimed first, and the claim is released only when SES refused the email or was not reached. So a worker
/// that dies before SES answers, or an answer that is lost, costs the email rather than sending it twice; the history page
/// shows the same outcome.
///
/// # Errors
///
/// The email was not sent and its claim is released: a retry may send it.
pub async fn notify_owner(worker: &Worker, export: &DataExport) -> Result<(), AwsError> {
    let id = &export.data_export_id;
    if export.notified_ts.is_some() {
        return Ok(());
    }
    let Some((to, email)) = email_to_owner(worker, export).await? else {
        tracing::warn!(data_export_id = id, "the owner of export {id} is unknown or left: no email");
        return Ok(());
    };
    let claimant = Uuid::new_v4().to_string();
    if !worker.exports.claim_notification(id, &claimant, (worker.clock)()).await? {
        return Ok(());
    }
    match worker.mailer.send(&to, email).await {
        Ok(()) => {
            tracing::info!(data_export_id = id, "sent the email of export {id}");
            Ok(())
        }
        Err(AwsError::Refused { code, .. }) if PERMANENT_REFUSALS.contains(&code.as_str()) => {
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
        Err(error) => {
            worker.exports.release_notification(id, &claimant, (worker.clock)()).await?;
            Err(error)
        }
    }
}

/// The email and the owner's address; `None` if the owner is no longer a member.
async fn email_to_owner(worker: &Worker, export: &DataExport) -> Result<Option<(String, Email)>, AwsError> {
    let owner = worker.directory.member(&export.organization_id, &export.user_id).await?;
    let Some(owner) = owner.filter(|owner| owner.deleted_ts.is_none()) else { return Ok(None) };
    let named = export.request.scope.workspace_ids.iter().take(NAMED_WORKSPACES).cloned().collect();
    let workspaces = worker.directory.workspaces_of(&export.organization_id, &named).await?;
    let names: Vec<_> = workspaces.into_values().map(|workspace| workspace.name).collect();
    let email = email::compose(export, &names, &worker.mailer.page_origin)
        .map_err(|error| AwsError::internal("email", &error))?;
    Ok(Some((owner.email, email)))
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
            // An answer that does not come from SES: the request was sent, and SES may have taken the email.
            SdkError::ServiceError(_) if error.code().is_none() => {
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

fn content(email: Email) -> Result<EmailContent, BuildError> {
    let utf8 = |data: String| Content::builder().charset("UTF-8").data(data).build();
    let body = Body::builder().text(utf8(email.text)?).html(utf8(email.html)?).build();
    let message = Message::builder().subject(utf8(email.subject)?).body(body).build();
    Ok(EmailContent::builder().simple(message).build())
}
