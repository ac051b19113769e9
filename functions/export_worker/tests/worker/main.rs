//! The worker against a world in memory: real SDK clients whose answers come from rules.

mod batch;
mod bucket;
mod failing;
mod interceptor;
mod job;
mod mail;
mod reader;
mod resume;
mod table;
mod world;
