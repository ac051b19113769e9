//! Sending the form: an export, or the form once more with what is wrong.

use chrono::{DateTime, Utc};
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, Response};
use usage_export::auth::Caller;
use usage_export::export::store::idempotency::IdempotencyKey;
use usage_export::problem::RequestError;
use uuid::Uuid;

use crate::Context;
use crate::form::{ExportForm, FormErrors, errors_of};
use crate::page::fill;
use crate::respond::{html, see_other};
use crate::route::PAGE;

/// The form was sent: starts the export and shows it on top of the history, or shows what is wrong.
pub async fn submit(
    context: &Context,
    request: &Request,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    let mut form = ExportForm::read(request.body().as_ref())?;
    let parsed = match form.parse(&caller.user_id) {
        Ok(parsed) => parsed,
        Err(errors) => return refused(context, caller, form, errors, StatusCode::BAD_REQUEST, now).await,
    };
    // Apart from the keys that the user's own programs send.
    let key = format!("settings_page {}", form.idempotency_key);
    let idempotency_key = IdempotencyKey::new(&caller.user_id, &key, &parsed.body);
    match context.submitter.submit(caller, parsed.request, Some(&idempotency_key), now).await {
        Ok(export) => {
            let id = export.data_export_id;
            see_other(&format!("{PAGE}?created={id}#export-{id}"))
        }
        Err(RequestError::Refused(problem)) => {
            let mut errors = errors_of(&problem);
            if problem.status == StatusCode::UNPROCESSABLE_ENTITY {
                // The form was changed after it had started an export, such as with the back button.
                form.idempotency_key = Uuid::new_v4().to_string();
                errors.form = Some(
                    "This form has started an export already. Press Start export again to start this one too."
                        .to_owned(),
                );
            }
            let retry_after = problem.retry_after;
            let mut response = refused(context, caller, form, errors, problem.status, now).await?;
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

/// The form once more, with what is wrong beside the inputs.
async fn refused(
    context: &Context,
    caller: &Caller,
    form: ExportForm,
    errors: FormErrors,
    status: StatusCode,
    now: DateTime<Utc>,
) -> Result<Response<Body>, RequestError> {
    let page = fill(context, caller, ExportForm { errors, ..form }, None, None, now).await?;
    html(status, &page)
}
