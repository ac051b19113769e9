//! The local system: brought up in order, taken down when dropped.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use aws_config::SdkConfig;
use tokio::net::TcpListener;

use crate::browser::{self, WebDriver};
use crate::claim::Claim;
use crate::emulator::Emulator;
use crate::outputs::Outputs;
use crate::package::{self, Binary};
use crate::proxy::{self, Proxy};
use crate::seed::{SeedOptions, seed};
use crate::stack::{self, StackOutputs};
use crate::terminal::{ProgressLine, Steps, thousands};
use crate::venv::Venv;
use crate::{assets, aws, server, tools};

/// Steps of `Local::bring_up`.
pub const STEPS: usize = 5;
const EMULATOR_PORT: u16 = 4566;
const API_PORT: u16 = 8080;
/// Permissions that only the emulator asks for.
const LOCAL_TEMPLATE: &str = include_str!("../local.yaml");
const EMAIL_FROM: &str = "exports@example.com";
/// Its SES identity.
const EMAIL_DOMAIN: &str = "example.com";

/// Which of the systems on this machine.
pub struct Place {
    state: PathBuf,
    emulator_port: u16,
    api_port: u16,
}

impl Place {
    /// The one that people use, at ports they know.
    pub fn main() -> Self {
        Self { state: tools::state_dir(), emulator_port: EMULATOR_PORT, api_port: API_PORT }
    }

    /// The one of the tests: it can run beside the main one.
    fn tests() -> Self {
        Self::beside("test")
    }

    /// The one of the benchmark.
    pub fn bench() -> Self {
        Self::beside("bench")
    }

    fn beside(name: &str) -> Self {
        Self { state: tools::state_dir().join(name), emulator_port: 0, api_port: 0 }
    }
}

/// Up until dropped.
pub struct Local {
    pub outputs: Outputs,
    pub outputs_path: PathBuf,
    pub sdk: SdkConfig,
    _proxy: Proxy,
    pub emulator: Emulator,
    // Fields are dropped in their order: this one when all the others are gone.
    _claim: Claim,
}

impl Local {
    /// Everything but data: emulator, stack, API.
    pub async fn bring_up(place: &Place, steps: &mut Steps) -> Result<Self> {
        let claim = Claim::of(&place.state)?;
        let outputs_path = place.state.join("outputs.json");
        tools::remove_file(&outputs_path)?;
        steps.begin("Preparing the Python environment of the emulator (the first time: a minute)");
        let venv = Venv::ensure().await?;
        steps.done("ready");
        steps.begin("Bundling the settings page's script");
        assets::build().await?;
        steps.done("bundled");
        steps.begin("Building the release binaries (the first time: some minutes)");
        let binaries = package::build().await?;
        steps.done("built");
        steps.begin("Starting the emulator");
        let emulator = start_emulator(&venv, place).await?;
        steps.done(&format!("ready at {}", emulator.endpoint_url));
        steps.begin("Deploying template.yaml");
        let listener = listen(place).await?;
        let api_url = format!("http://{}", listener.local_addr()?);
        let sdk = aws::root_at(&emulator.endpoint_url).await;
        let stack = deploy(&sdk, &binaries, &api_url).await?;
        let proxy = Proxy::start(listener, &emulator.endpoint_url, &stack.get("ApiId")?);
        steps.done(&format!("the API is at {api_url}"));
        let outputs = Outputs::of_stack(&api_url, &emulator.endpoint_url, &stack)?;
        Ok(Self { outputs, outputs_path, sdk, _proxy: proxy, emulator, _claim: claim })
    }

    pub async fn seed(&mut self, options: &SeedOptions, steps: &mut Steps) -> Result<()> {
        steps.begin(&format!("Seeding {} runs", thousands(options.runs as u64)));
        add_seed(&mut self.outputs, options).await?;
        steps.done(&format!("{} users", self.outputs.users.len()));
        Ok(())
    }

    /// From here on others may use it.
    pub fn announce(&self) -> Result<()> {
        self.outputs.write(&self.outputs_path)
    }

    pub fn print_addresses(&self) {
        println!("\n  Page         {}", self.outputs.page_url);
        println!("  API          {}", self.outputs.api_url);
        println!("  AWS          {} (for the AWS CLI and SDKs: --endpoint-url)", self.outputs.endpoint_url);
        println!("  Sent email   {}/_ministack/ses/messages", self.outputs.endpoint_url);
        println!("  All of it    {}\n", shown(&self.outputs_path));
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = tools::remove_file(&self.outputs_path);
    }
}

/// `cargo xtask up`
pub async fn up(options: &SeedOptions) -> Result<()> {
    let mut steps = Steps::new(STEPS + 1);
    let mut local = Local::bring_up(&Place::main(), &mut steps).await?;
    local.seed(options, &mut steps).await?;
    local.announce()?;
    local.print_addresses();
    crate::demo::print_users(&local.outputs, options.now);
    stay_up().await
}

/// `cargo xtask test`
pub async fn test(args: &[String]) -> Result<ExitCode> {
    run_tests(args, None).await
}

/// `cargo xtask screenshots`
pub async fn screenshots() -> Result<ExitCode> {
    let test = ["--test", "browser", "for_the_readme"].map(str::to_owned);
    run_tests(&test, Some(&tools::root().join("docs"))).await
}

/// Runs tests beside a system of their own. The README's pictures go to `pictures`, if the tests are to take them.
async fn run_tests(args: &[String], pictures: Option<&Path>) -> Result<ExitCode> {
    let place = Place::tests();
    let mut steps = Steps::new(STEPS + 2);
    steps.begin("Looking for Chromium and its driver");
    browser::ensure().await?;
    steps.done("found");
    let local = Local::bring_up(&place, &mut steps).await?;
    let driver = WebDriver::start(&local.emulator, &place.state).await?;
    local.announce()?;
    steps.begin("Testing");
    let mut cargo = tools::cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast"]).args(args);
    cargo.env("USAGE_EXPORT_OUTPUTS", &local.outputs_path).env("USAGE_EXPORT_WEBDRIVER", &driver.url);
    cargo.envs(pictures.map(|folder| ("USAGE_EXPORT_README_PICTURES", folder)));
    let status = cargo.status().await.context("cargo does not start")?;
    steps.done(if status.success() { "passed" } else { "failed" });
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// `cargo xtask seed`
pub async fn add_data(options: &SeedOptions) -> Result<()> {
    let (path, mut outputs) = Outputs::read()?;
    let known = outputs.users.len();
    let mut steps = Steps::new(1);
    steps.begin(&format!("Seeding {} runs", thousands(options.runs as u64)));
    add_seed(&mut outputs, options).await?;
    outputs.write(&path)?;
    steps.done(&format!("{} users more in {}", outputs.users.len() - known, shown(&path)));
    Ok(())
}

/// Never returns: a signal ends it.
pub async fn stay_up() -> Result<()> {
    println!("Up until Ctrl-C.");
    std::future::pending().await
}

/// A path as people type it in the repository's root.
pub fn shown(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(tools::root()).unwrap_or(path).display()
}

async fn start_emulator(venv: &Venv, place: &Place) -> Result<Emulator> {
    let port = server::free_port(place.emulator_port)?;
    if place.emulator_port != 0 && port != place.emulator_port {
        println!("      port {} is taken: using {port}", place.emulator_port);
    }
    Emulator::start(venv, &place.state, port).await
}

async fn listen(place: &Place) -> Result<TcpListener> {
    let listener = proxy::listen(place.api_port).await?;
    let port = listener.local_addr()?.port();
    if place.api_port != 0 && port != place.api_port {
        println!("      port {} is taken: using {port}", place.api_port);
    }
    Ok(listener)
}

async fn deploy(sdk: &SdkConfig, binaries: &[Binary], page_url: &str) -> Result<StackOutputs> {
    // What somebody who deploys to AWS has done before.
    aws_sdk_sesv2::Client::new(sdk).create_email_identity().email_identity(EMAIL_DOMAIN).send().await?;
    let template = std::fs::read_to_string(tools::root().join("template.yaml"))?;
    let template = package::package(&aws_sdk_s3::Client::new(sdk), &template, binaries).await?;
    let parameters = [
        ("Architecture", architecture()?),
        ("RequireTls", "false"),
        ("PageUrl", page_url),
        ("EmailFrom", EMAIL_FROM),
        ("SesIdentity", EMAIL_DOMAIN),
    ];
    let cloudformation = aws_sdk_cloudformation::Client::new(sdk);
    let outputs = stack::create(&cloudformation, stack::STACK, &template, &parameters).await?;
    let role = stack::physical_id(&cloudformation, "ExportWorkerRole").await?;
    let parameters = [("WorkerRole", role.as_str())];
    stack::create(&cloudformation, "usage-data-export-local", LOCAL_TEMPLATE, &parameters).await?;
    Ok(outputs)
}

fn architecture() -> Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("x86_64"),
        "aarch64" => Ok("arm64"),
        other => bail!("Lambda has no {other} processors"),
    }
}

async fn add_seed(outputs: &mut Outputs, options: &SeedOptions) -> Result<()> {
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws::root_at(&outputs.endpoint_url).await);
    let line = ProgressLine::new();
    let show = |done: usize, total: usize| {
        line.show(&format!("{} of {}", thousands(done as u64), thousands(total as u64)));
    };
    let tables = &outputs.tables;
    let users = seed(&dynamodb, &tables.usage_records, &tables.directory, options, show).await;
    line.clear();
    outputs.add_users(users.context("the sample data cannot be written")?);
    Ok(())
}
