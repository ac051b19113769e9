//! Exports while AWS fails and workers die: `cargo xtask faults`.
//!
//! | module        | what it does                                                                                     |
//! | ------------- | ------------------------------------------------------------------------------------------------ |
//! | [`proxy`]     | stands between the functions and the emulator of AWS, and spoils the calls that rules say        |
//! | [`killer`]    | kills and freezes the worker that makes a call                                                   |
//! | [`world`]     | makes organizations with random usage records, asks for exports, examines what became of them    |
//! | [`scenarios`] | what happens in each scenario, and what must hold then                                           |
//! | [`scenario`]  | what a scenario is, and running one                                                              |
//! | [`lane`]      | runs them beside each other, each lane against a system of its own                               |
//! | [`report`]    | prints what held                                                                                 |
//!
//! # Adding a scenario
//!
//! Write an async function in a module of [`scenarios`], whose documentation says what must hold, and add it to
//! [`scenarios::SCENARIOS`], as `quick` or as one that `waits`. Most are three steps: [`World::orgs`](world::World::orgs) makes the data,
//! [`World::export_with`](world::World::export_with) sets [`proxy::Rule`]s, makes exports and waits for their end, and
//! [`Outcome::must`](world::Outcome::must) notes what does not hold. Then `cargo xtask faults --quick --only 'its name'`.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

pub mod killer;
pub mod lane;
pub mod proxy;
pub mod report;
pub mod scenario;
pub mod scenarios;
pub mod world;
