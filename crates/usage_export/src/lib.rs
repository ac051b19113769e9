//! Usage data export: the domain and its stores in AWS, shared by every function.
//!
//! A request's way, which is a good order to read in: [`auth`] finds the caller, [`export::request`] parses what they ask
//! for, [`export::submit`] stores and queues it, [`export::store::lease`] and [`export::store::finish`] are how a worker claims and finishes it, and
//! [`export::download`] gives the file to its owner.
//!
//! | module        | what it holds                                                              |
//! | ------------- | -------------------------------------------------------------------------- |
//! | [`export`]    | a data export: its request, its states, the table of exports               |
//! | [`usage`]     | usage records: keys of the table, the eleven fields                        |
//! | [`directory`] | organizations, members, workspaces, workbooks                              |
//! | [`audit`]     | the audit trail: who asked for, took and was refused what                  |
//! | [`auth`]      | API keys and sessions, from them to a caller, and what the caller may do   |
//! | [`error`]     | what can go wrong between us and AWS                                       |
//! | [`problem`]   | what a caller is told when a request is refused                            |
//! | [`rate_limit`] | how many requests an API key may make                                      |
//! | [`dynamo`]    | the few things that every table needs: attribute values, batch reads       |
//! | [`aws`]       | the configuration of the AWS clients, and whom they trust                  |
//! | [`config`]    | environment variables                                                      |
//! | `schema`      | JSON schemas of texts, for the API document (feature `schema`)             |
//! | [`timestamp`] | the one text form of an instant                                            |
//! | [`wording`]   | counts and sizes as people read them                                       |
//! | [`logging`]   | JSON logs                                                                  |
//! | [`metrics`]   | figures for `CloudWatch`, as lines of the log                              |
//!
//! No handler and no HTTP framework is in here: those are the functions'. Without the feature `aws`, which is on by default, neither are
//! the stores: what remains parses requests and forms answers.

pub mod audit;
#[cfg(feature = "aws")]
pub mod auth;
#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "aws")]
pub mod config;
#[cfg(feature = "aws")]
pub mod directory;
#[cfg(feature = "aws")]
pub mod dynamo;
pub mod error;
pub mod export;
mod id;
#[cfg(feature = "aws")]
pub mod logging;
#[cfg(feature = "aws")]
pub mod metrics;
pub mod problem;
#[cfg(feature = "aws")]
pub mod rate_limit;
#[cfg(feature = "schema")]
pub mod schema;
pub mod timestamp;
pub mod usage;
pub mod wording;
