//! What happens to every request around its handler.

mod finish;
mod origin;

pub use finish::finish;
pub use origin::require_same_origin;
