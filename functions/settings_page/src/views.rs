//! What the templates are filled with. Views know no request and no table: they are made from what handlers loaded.

pub mod details;
pub mod error;
pub mod fields;
pub mod history;
pub mod layout;
pub mod page;
pub mod sign_in;
