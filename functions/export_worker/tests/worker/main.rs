//! The worker against a world in memory: real SDK clients whose answers come from rules.

mod batch;
mod bucket;
mod failing;
mod job;
mod mail;
mod random_pages;
mod reader;
mod resume;
mod scan;
mod table;
mod world;
