//! Where the rows come from: usage records and the names that are joined to them.
//!
//! [`query`] reads the pages of partitions in order and some pages ahead; [`interceptor`] hands the bytes of an answer to
//! the crate `query_csv`, which [`layout`] tells what a row of usage runs is made of; [`names`] looks up what is not in
//! the records.

pub mod interceptor;
pub mod layout;
pub mod names;
pub mod query;
