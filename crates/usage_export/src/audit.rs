//! The audit trail: who asked for, took, cancelled and was refused what, when, and from where.
//!
//! Events are appended to a table of their own, which no function may change or delete from; DynamoDB deletes an event when its
//! days are over. An action is answered only after its event is in the table; `docs/adr/0034-an-audit-trail.md` says why.
//!
//! | module     | what it has                        |
//! | ---------- | ---------------------------------- |
//! | [`event`]  | what is recorded                   |
//! | [`call`]   | what a caller asks to see          |
//! | [`answer`] | what they get                      |
//! | [`trail`]  | the table: events are added        |
//! | [`read`]   | and read in pages                  |
//! | [`mod@file`] | or as CSV                          |
//!
//! [`Attempt`](crate::auth::attempt::Attempt) makes events of requests.

pub mod answer;
pub mod call;
pub mod event;
#[cfg(feature = "aws")]
pub mod file;
#[cfg(feature = "aws")]
pub mod read;
#[cfg(feature = "aws")]
pub mod trail;

#[cfg(feature = "aws")]
pub use trail::AuditTrail;
