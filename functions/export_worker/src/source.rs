//! Where the rows come from: usage records and the names that are joined to them.
//!
//! [`query`] reads the pages of partitions in order and some pages ahead, many where they are empty. [`selection`] says what is read of them, and
//! [`layout`] what a row of usage runs is made of. [`interceptor`] hands the bytes of an answer to the crate `query_csv`.
//! [`names`] looks up what is not in the records. [`bad_record`] says which record ends an export, and why.

pub mod bad_record;
pub mod interceptor;
pub mod layout;
pub mod names;
pub mod query;
mod read_ahead;
pub mod selection;
