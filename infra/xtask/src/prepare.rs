//! What the commands need before they can work. Each is prepared by the first command that needs it, and kept.

pub mod cargo_tool;
pub mod client;
pub mod debian;
pub mod dynamodb_local;
pub mod npm;
pub mod python;
pub mod sam;
