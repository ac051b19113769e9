//! Answers of `Query` through the public door of the crate: frames in, rows out.

mod broken_answers;
mod cells;
mod layouts;
mod oracle;
mod random_answers;
mod reading;
mod rows;
mod sums;
