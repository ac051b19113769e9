//! `cargo xtask test` and `cargo xtask screenshots`: tests beside a system of their own.

mod logs;
mod matrix;
mod packages;
mod variant;

use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus, Stdio};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use self::matrix::{Counts, Matrix};
use self::variant::Target;
pub use self::variant::Variant;
use crate::local::web_driver::WebDriver;
use crate::local::{Local, STEPS};
use crate::prepare::client;
use crate::prepare::debian::CHROMIUM;
use crate::prepare::python::{CARGO_LAMBDA, EMULATOR, Venv};
use crate::prepare::sam::Sam;
use crate::terminal::Steps;
use crate::{command, paths};

/// Runs the tests of a variant. `args` go to `cargo test`, whose exit code is returned.
///
/// # Errors
///
/// Fails if the system or the browser's driver cannot be brought up, or cargo does not start.
pub async fn test(variant: Variant, args: &[String]) -> Result<ExitCode> {
    if variant == Variant::Arm64 && packages::are_named(args) {
        return Ok(command::exit_code(run(&mut packages::tests_on_arm64(args).await?).await?));
    }
    ensure!(
        variant == Variant::Ministack || !packages::are_named(args),
        "packages have no tests for {}: without -p, the tests of the system run",
        variant.name()
    );
    let mut steps = Steps::new(STEPS + 2);
    let system = System::bring_up(variant, &mut steps).await?;
    steps.begin("Testing");
    let status = run(&mut system.tests(args)).await?;
    steps.done(if status.success() { "passed" } else { "failed" });
    // After all tests: a few of them log little.
    if variant == Variant::Ministack && args.is_empty() {
        println!("{}", logs::check(&system.local.outputs).await?);
    }
    Ok(command::exit_code(status))
}

/// Runs the tests of the system in every variant, one after the other, and prints what passed, differs or cannot run.
///
/// # Errors
///
/// Fails as [`test()`] does.
pub async fn test_all() -> Result<ExitCode> {
    let mut matrix = Matrix::default();
    let mut all_ran = true;
    for variant in Variant::ALL {
        println!("── {}", variant.name());
        // The others say something nevertheless, and half an hour is not lost.
        if let Err(error) = test_targets(variant, &mut matrix).await {
            eprintln!("error: {error:#}");
            all_ran = false;
        }
    }
    println!("\n{matrix}");
    Ok(if all_ran && !matrix.has_failures() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn test_targets(variant: Variant, matrix: &mut Matrix) -> Result<()> {
    let system = System::bring_up(variant, &mut Steps::new(STEPS + 1)).await?;
    for target in variant.targets() {
        let args = target.arguments();
        let mut tests = match (variant, target) {
            (Variant::Arm64, Target::Package(_)) => packages::tests_on_arm64(&args).await?,
            _ => system.tests(&args),
        };
        matrix.add(variant, target, run_and_count(&mut tests).await?);
    }
    Ok(())
}

/// Takes the pictures of the README anew: tests take them, in the browser and of the client in a terminal.
///
/// # Errors
///
/// Fails as [`test()`] does.
pub async fn screenshots() -> Result<ExitCode> {
    let system = System::bring_up(Variant::Ministack, &mut Steps::new(STEPS + 1)).await?;
    let of_pictures = ["--test", "browser", "--test", "integration", "for_the_readme"];
    let mut tests = system.tests(&of_pictures.map(str::to_owned));
    let status = run(tests.env("USAGE_EXPORT_README_PICTURES", paths::root().join("docs"))).await?;
    Ok(command::exit_code(status))
}

/// A system with all that tests need.
struct System {
    variant: Variant,
    // Fields are dropped in their order: the driver ends before the system whose folder it uses.
    driver: WebDriver,
    local: Local,
    sam: Sam,
    emulator: Venv,
    cargo_lambda: Venv,
    client: PathBuf,
}

impl System {
    async fn bring_up(variant: Variant, steps: &mut Steps) -> Result<Self> {
        steps.begin("Looking for what the tests need");
        CHROMIUM.ensure().await?;
        variant.prepare().await?;
        steps.done("found");
        let instance = variant.instance();
        // On the heap, because it is large.
        let local = Box::pin(Local::bring_up(&instance, steps));
        let (local, cargo_lambda) = tokio::try_join!(local, Venv::ensure(&CARGO_LAMBDA))?;
        let emulator = Venv::ensure(&EMULATOR).await?;
        let driver = WebDriver::start(&local.emulator.place).await?;
        local.announce()?;
        let client = client::build().await?;
        Ok(Self { variant, driver, local, sam: Sam::ensure().await?, emulator, cargo_lambda, client })
    }

    /// The command that runs tests of the variant.
    fn tests(&self, args: &[String]) -> Command {
        let mut cargo = command::cargo();
        cargo.args(["test", "--no-fail-fast"]);
        if !packages::are_named(args) {
            cargo.arg("--workspace");
        }
        cargo.args(self.variant.arguments(args));
        cargo
            .env("USAGE_EXPORT_OUTPUTS", &self.local.outputs_path)
            .env("USAGE_EXPORT_DEPLOYED", &self.local.deployed)
            .env("USAGE_EXPORT_SAM", self.sam.program())
            .env("USAGE_EXPORT_WEBDRIVER", &self.driver.url)
            .env("USAGE_EXPORT_XTASK", std::env::current_exe().unwrap_or_default())
            .env("USAGE_EXPORT_CLIENT", &self.client)
            .env("USAGE_EXPORT_CARGO_LAMBDA", self.cargo_lambda.program("cargo-lambda"))
            .env("USAGE_EXPORT_EMULATOR_PYTHON", self.emulator.program("python"));
        cargo
    }
}

async fn run(tests: &mut Command) -> Result<ExitStatus> {
    tests.status().await.context("cargo does not start")
}

/// Runs the tests, shows what they print, and counts what they say.
async fn run_and_count(tests: &mut Command) -> Result<Counts> {
    let mut child = tests.stdout(Stdio::piped()).spawn().context("cargo does not start")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let mut lines = BufReader::new(stdout).lines();
    let mut counts = Counts::default();
    while let Some(line) = lines.next_line().await? {
        println!("{line}");
        counts.add_line(&line);
    }
    // Tests that do not build print nothing that could be counted.
    counts.failed += u32::from(!child.wait().await?.success() && counts.failed == 0);
    Ok(counts)
}
