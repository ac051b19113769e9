//! Tells the owner of an export what became of it, once.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::BuildError;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use usage_export::config::Origin;
use usage_export::error::AwsError;
use usage_export::export::DataExport;

use crate::Worker;
use crate::email::{self, Email, NAMED_WORKSPACES};

/// SES refuses the email itself: sending it again would change nothing.
/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors>
const REFUSED_FOR_GOOD: [&str; 5] = [
    "MessageRejected",
    "MailFromDomainNotVerifiedException",
    "NotFoundException",
    "BadRequestException",
    "AccountSuspendedException",
];

/// The operation's name in errors.
const SEND_EMAIL: &str = "ses:SendEmail";

/// Sends emails.
#[derive(Debug, Clone)]
pub struct Mailer {
    /// The client. It must not try again by itself: an attempt without an answer may have been an email.
    pub client: Client,
    /// The sender.
    pub from: String,
    /// For bounces and complaints.
    pub configuration_set: Option<String>,
    /// Where people see the settings page.
    pub page_origin: Origin,
}

/// Sends the email of an export's outcome, unless it was sent before.
///
/// The claim comes first, and is given back only where SES said no or was not reached. A worker that dies before SES
/// answers, or an answer that does not come, costs an email rather than sending two; the history page tells the same.
///
/// # Errors
///
/// The email was not sent and the claim was given back: it can be tried again.
pub async fn tell(worker: &Worker, export: &DataExport) -> Result<(), AwsError> {
    let id = &export.data_export_id;
    if export.notified_ts.is_some() {
        return Ok(());
    }
    let Some((to, email)) = compose(worker, export).await? else {
        tracing::warn!(data_export_id = id, "the owner of export {id} is unknown or left: no email");
        return Ok(());
    };
    let claimed = (worker.clock)();
    if !worker.exports.claim_notification(id, claimed).await? {
        return Ok(());
    }
    match worker.mailer.send(&to, email).await {
        Ok(()) => {
            tracing::info!(data_export_id = id, "sent the email of export {id}");
            Ok(())
        }
        Err(AwsError::Refused { code, .. }) if REFUSED_FOR_GOOD.contains(&code.as_str()) => {
            // SES's message may hold the address, so only its code is logged.
            tracing::error!(data_export_id = id, code, "SES refused the email of export {id}: {code}");
            Ok(())
        }
        Err(AwsError::Transport { request_sent: true, cause, .. }) => {
            tracing::error!(
                data_export_id = id,
                error = cause,
                "SES did not answer: the email of export {id} may not have gone: {cause}"
            );
            Ok(())
        }
        Err(error) => {
            worker.exports.release_notification(id, claimed).await?;
            Err(error)
        }
    }
}

/// The email and whom it goes to; `None` if the owner is not a member any more.
async fn compose(worker: &Worker, export: &DataExport) -> Result<Option<(String, Email)>, AwsError> {
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
            // Something answered, but not as SES does: the request went out.
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
