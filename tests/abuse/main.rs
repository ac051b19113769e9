//! Requests and data that mean harm, through the doors that everybody has: the API, the page, and the names that people choose.
//!
//! | module       | what is tried                                                                         |
//! | ------------ | ------------------------------------------------------------------------------------- |
//! | [`lengths`]  | ids, keys and bodies at and beyond their limits                                       |
//! | [`formulas`] | names and ids that a spreadsheet would run                                            |
//! | [`names`]    | names that forge lines, markup and reading direction; names of another organization   |
//! | [`headers`]  | values that forge headers; compressed bodies; other methods, addresses and origins    |
//! | [`logs`]     | values that forge lines of a log, and what must not be in one                         |
//! | [`requests`] | more requests than a key may make                                                     |
//!
//! `docs/security.md` has the list of limits.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod formulas;
mod headers;
mod lengths;
mod logs;
mod names;
mod requests;

/// What would begin a header or a line of a log of its own.
const FORGED: &str = "x\r\nSet-Cookie: forged=1\r\n\r\n{\"level\":\"ERROR\",\"message\":\"forged\"}\n";
