//! One module for each `cargo xtask` command.

pub mod bench;
pub mod capacity;
pub mod demo;
pub mod deploy;
mod deployment;
pub mod faults;
pub mod fuzz;
pub mod key;
pub mod lint;
pub mod openapi;
pub mod seed;
pub mod status;
pub mod test;
pub mod up;
pub mod verify;
