//! What the templates are filled with. A template has the name of the type that fills it.

pub mod api;
pub mod audit;
pub mod charts;
pub mod dates;
pub mod details;
pub mod error;
pub mod fields;
pub mod form;
pub mod history;
pub mod layout;
pub mod preview;
pub mod row;
pub mod sign_in;
