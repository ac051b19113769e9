//! Reads usage records, in the order of a file, and makes rows of them. The worker writes these rows to a file; the settings page
//! shows the first of them before there is one.
//!
//! | module          | what it does                                                                             |
//! | --------------- | ---------------------------------------------------------------------------------------- |
//! | [`plan`]        | resolves the scope of a request to workspaces, and lists their partitions                |
//! | [`partition`]   | one workspace and month of the table, and how much time it covers                        |
//! | [`selection`], [`layout`] | what is read of a partition; what a row is made of                             |
//! | [`query`]       | reads the pages of partitions in order and some pages ahead, many where they are empty   |
//! | [`page`]        | one of these pages: a call of `Query`, and what is made of its answer                    |
//! | [`pace`]        | how fast pages are asked for: within the [`budget`] of all workers, and more slowly when DynamoDB throttles them |
//! | [`interceptor`] | hands the bytes of an answer to the crate `query_csv`                                    |
//! | [`names`]       | looks up what is not in the records                                                      |
//! | [`preview`]     | the first rows of a file and about how large it gets, before there is one                |
//! | [`bad_record`]  | says which record ends an export, and why                                                |

pub mod bad_record;
pub mod budget;
pub mod interceptor;
pub mod layout;
pub mod names;
pub mod pace;
pub mod page;
pub mod partition;
pub mod plan;
pub mod preview;
pub mod query;
mod read_ahead;
pub mod selection;
mod throttling;
