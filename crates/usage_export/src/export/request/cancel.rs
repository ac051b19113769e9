//! A parsed body of `POST /cancel_export`.

use super::{Reader, json_object};
use crate::problem::Problem;

/// Which export is to be cancelled, and for whom the request acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelCall {
    /// The user for whom the request acts.
    pub user_id: String,
    /// The export to cancel.
    pub data_export_id: String,
}

impl CancelCall {
    /// Parses the body. Unknown members are ignored.
    ///
    /// ```
    /// use usage_export::export::request::CancelCall;
    /// let call = CancelCall::parse(br#"{"user_id": "usr_1", "data_export_id": "019ab0a2-0700-7000-8000-000000000001"}"#).unwrap();
    /// assert_eq!(call.user_id, "usr_1");
    /// let problem = CancelCall::parse(br#"{"data_export_id": 7}"#).unwrap_err();
    /// let at_fault: Vec<_> = problem.errors.iter().map(|error| error.field.as_str()).collect();
    /// assert_eq!(at_fault, ["user_id", "data_export_id"]);
    /// ```
    ///
    /// # Errors
    ///
    /// A 400 that names every member at fault.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let body = json_object(body)?;
        let mut reader = Reader::new(&body);
        match (reader.id("user_id"), reader.id("data_export_id")) {
            (Some(user_id), Some(data_export_id)) => Ok(Self { user_id, data_export_id }),
            _ => Err(Problem::fields(reader.errors)),
        }
    }
}
