//! From records to the rows of a file.
//!
//! [`row_writer`] writes the rows of one page; [`cell`] knows what CSV quotes and what a spreadsheet would run;
//! [`column_sum`] adds the numbers of one column.

mod cell;
mod column_sum;
mod row_writer;

pub(crate) use cell::{EMPTY_ROW, join_cells, write_cell};
pub use cell::{escape_formula, write_header};
pub(crate) use row_writer::{MissingIds, Placeholder, RowWriter};
