#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod cells;
mod formula;
mod layout;
mod page;
mod parse;
mod pool;
mod write;

pub use cells::CellCache;
pub use decimal_sum::DecimalSum;
pub use formula::escape_formula;
pub use layout::{Column, LayoutError, RowLayout};
pub use page::{Counts, MissingCells, Page, PageError, PageReader};
pub use parse::RecordError;
pub use pool::BufferPool;
pub use write::write_header;
