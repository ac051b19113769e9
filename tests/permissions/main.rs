//! Least privilege: each function works with the permissions of its role. Take one away, and something that people see stops
//! working. So none is granted for nothing.
//!
//! A permission is an action on a resource, as the deployed `template.yaml` grants it. For each, the function is deployed once
//! more, with the same code and the same variables, and with a role that lacks this one. What then has to fail is in the
//! module of the function. The same is done with a copy that has all permissions, and has to succeed.
//!
//! [`not_evaluated`] lists the permissions whose absence the emulator does not notice.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod common;
mod copy;
mod deployed;
mod events;
mod export_data;
mod export_reconciler;
mod export_status;
mod export_worker;
mod not_evaluated;
mod settings_page;

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use futures::stream::{self, StreamExt as _};
use integration_tests::run;

use crate::copy::FunctionCopy;
use crate::deployed::{Deployed, Permission};
use crate::not_evaluated::{NOT_EVALUATED, reason};

/// Copies of one function that are tried at the same time.
const CONCURRENT_COPIES: usize = 4;

/// What is taken away from a role at a time.
struct Case {
    /// What a scenario knows it by.
    name: String,
    without: Vec<Permission>,
}

/// Each permission alone; and those that only their conditions tell apart together.
fn cases(permissions: &[Permission]) -> Vec<Case> {
    let mut cases = Vec::new();
    for permission in permissions {
        let unconditional = permission.without_condition();
        let twins: Vec<_> =
            permissions.iter().filter(|other| other.without_condition() == unconditional).cloned().collect();
        let name = unconditional.to_string();
        if twins.len() > 1 && cases.iter().all(|case: &Case| case.name != name) {
            cases.push(Case { name, without: twins });
        }
        cases.push(Case { name: permission.to_string(), without: vec![permission.clone()] });
    }
    cases
}

/// Asserts for each permission of a function that what `works` says is true with it and false without it.
async fn assert_each_is_needed(function: &'static str, works: impl AsyncFn(&FunctionCopy, &str) -> bool) {
    let deployed = Deployed::read().await;
    let permissions = deployed.permissions(function);
    let complete = FunctionCopy::deploy(&deployed, function, &permissions, false).await;
    let wrong: Vec<_> = stream::iter(cases(&permissions))
        .map(async |case| {
            let tried = try_without(&deployed, function, &case, &complete, &works);
            let wrong = match AssertUnwindSafe(tried).catch_unwind().await {
                Ok(wrong) => wrong?,
                Err(_) => "a panic, which is shown above",
            };
            Some(format!("{function} without {}: {wrong}", case.name))
        })
        .buffer_unordered(CONCURRENT_COPIES)
        .filter_map(async |wrong| wrong)
        .collect()
        .await;
    complete.delete().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Says what is wrong, if anything is.
async fn try_without(
    deployed: &Deployed,
    function: &'static str,
    case: &Case,
    complete: &FunctionCopy,
    works: &impl AsyncFn(&FunctionCopy, &str) -> bool,
) -> Option<&'static str> {
    let mut left = deployed.permissions(function);
    left.retain(|permission| !case.without.contains(permission));
    let is_evaluated = reason(function, &case.name).is_none();
    // The emulator asks for no permission to take messages from a queue: that they arrive is to be seen.
    let copy =
        FunctionCopy::deploy(deployed, function, &left, !is_evaluated && case.name.starts_with("sqs:")).await;
    let works_without = works(&copy, &case.name).await;
    let was_refused = copy.was_refused();
    copy.delete().await;
    match (is_evaluated, works_without) {
        (true, true) => Some("all works, so it is granted for nothing, or belongs into NOT_EVALUATED"),
        (true, false) if !was_refused => Some("it fails, but not because of a refusal"),
        (true, false) => (!works(complete, &case.name).await).then_some("it fails with all permissions too"),
        (false, true) if !was_refused => None,
        (false, _) => Some("the emulator notices it now: take it out of NOT_EVALUATED"),
    }
}

#[test]
fn export_data_needs_each_of_its_permissions() {
    run(assert_each_is_needed("ExportDataFunction", export_data::works));
}

#[test]
fn export_status_needs_each_of_its_permissions() {
    run(assert_each_is_needed("ExportStatusFunction", export_status::works));
}

#[test]
fn export_worker_needs_each_of_its_permissions() {
    run(assert_each_is_needed("ExportWorkerFunction", export_worker::works));
}

#[test]
fn export_reconciler_needs_each_of_its_permissions() {
    run(assert_each_is_needed("ExportReconcilerFunction", export_reconciler::works));
}

#[test]
fn settings_page_needs_each_of_its_permissions() {
    run(assert_each_is_needed("SettingsPageFunction", settings_page::works));
}

#[test]
fn no_function_and_no_permission_is_left_out() {
    run(async {
        let deployed = Deployed::read().await;
        let functions: Vec<_> = deployed.resources("AWS::Lambda::Function").map(|(name, _)| name).collect();
        assert_eq!(functions.len(), 5, "one without a test? {functions:?}");
        for kind in ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"] {
            // X-Ray's permissions are Lambda's own affair: no code calls it, and the emulator has none.
            let policies = deployed
                .resources(kind)
                .filter(|(name, _)| !["TracingPolicy", "KeyPolicy"].contains(&name.as_str()));
            assert_eq!(policies.count(), 0, "permissions are in the roles themselves");
        }
    });
}

#[test]
fn each_permission_that_is_not_evaluated_is_one_that_a_function_has() {
    run(async {
        let deployed = Deployed::read().await;
        for (function, start, _) in NOT_EVALUATED {
            let of = deployed.resources("AWS::Lambda::Function").map(|(name, _)| name);
            let of = of.filter(|name| function.is_empty() || *name == function);
            let mut permissions = of.flat_map(|name| deployed.permissions(name));
            assert!(
                permissions.any(|permission| permission.to_string().starts_with(start)),
                "{function} has no {start}"
            );
        }
    });
}
