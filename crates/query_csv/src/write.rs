//! From records to the rows of a file.
//!
//! [`row_writer`] writes the rows of one page; [`cell`] knows what CSV quotes;
//! [`column_sum`] adds the numbers of one column.

mod cell;
mod column_sum;
mod row_writer;

pub use cell::write_header;
pub(crate) use cell::{EMPTY_ROW, join_cells, write_text};
pub(crate) use row_writer::{MissingIds, Placeholder, RowWriter};
