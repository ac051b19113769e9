//! The page as API Gateway asks for it, with DynamoDB answering from rules: what the deployed system cannot be made to
//! do. `tests/integration` and `tests/browser` have the rest.

mod api;
mod page;
mod routing;
mod sharing;
mod support;
