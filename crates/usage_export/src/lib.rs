//! Usage data export: the domain and its AWS stores, shared by every function.
//!
//! | module        | what it holds                                                              |
//! | ------------- | -------------------------------------------------------------------------- |
//! | [`export`]    | a data export: its request, its states, the table of exports               |
//! | [`usage`]     | usage records: keys of the table, the eleven fields                        |
//! | [`directory`] | organizations, members, workspaces, workbooks, and where keys are found    |
//! | [`api_key`]   | API keys, and sessions, which are keys with a short life                   |
//! | [`auth`]      | from an API key to a caller, and what the caller may do                    |
//! | [`session`]   | sessions of people on the settings page                                    |
//! | [`problem`]   | what a caller is told when a request is refused                            |
//! | [`dynamo`]    | the few things that every table needs: errors, batch reads                 |
//! | [`aws`]       | the configuration of the AWS clients, and whom they trust                  |
//! | [`config`]    | environment variables                                                      |
//! | [`timestamp`] | the one text form of an instant                                            |
//! | [`wording`]   | counts and sizes as people read them                                       |
//! | [`logging`]   | JSON logs                                                                  |
//!
//! No handler and no HTTP framework is in here: those are the functions'.

pub mod api_key;
pub mod auth;
pub mod aws;
pub mod config;
pub mod directory;
pub mod dynamo;
pub mod export;
pub mod logging;
pub mod problem;
pub mod session;
pub mod timestamp;
pub mod usage;
pub mod wording;
