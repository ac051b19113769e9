//! The local system: the emulator with the stack in it, and the API at a plain origin. It is brought up in order and
//! taken down when it is dropped.

pub mod aws;
pub mod backend;
mod emulator;
pub mod functions;
pub mod instance;
mod lock;
pub mod outputs;
pub mod processes;
mod proxy;
mod server;
pub mod services;
pub mod stack;
pub mod web_driver;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use seed::SeedOptions;
use tokio::net::TcpListener;

use self::emulator::Emulator;
use self::instance::Instance;
use self::lock::StateLock;
use self::outputs::Outputs;
use self::proxy::Proxy;
use self::server::Place;
use self::services::Services;
use self::services::queues::EventSources;
use self::stack::StackOutputs;
use crate::paths;
use crate::prepare::python::{EMULATOR, Venv};
use crate::prepare::sam::Sam;
use crate::terminal::{self, Steps, note};

/// The number of steps of [`Local::bring_up`].
pub const STEPS: usize = 3;
/// Permissions that only the emulator asks for.
const LOCAL_TEMPLATE: &str = include_str!("../local.yaml");
const EMAIL_FROM: &str = "exports@example.com";
/// The domain of `EMAIL_FROM`: the identity that the template's parameter `SesIdentity` names.
const EMAIL_DOMAIN: &str = "example.com";

/// A system that is up until this is dropped.
pub struct Local {
    pub outputs: Outputs,
    pub outputs_path: PathBuf,
    /// The folder with the template and the functions that are deployed.
    pub deployed: PathBuf,
    pub sdk: SdkConfig,
    _proxy: Proxy,
    _event_sources: Option<EventSources>,
    pub emulator: Emulator,
    _services: Services,
    // Fields are dropped in their order: the lock is released when everything else is gone.
    _lock: StateLock,
}

impl Local {
    /// Brings up everything but the data: emulator, stack, API.
    ///
    /// # Errors
    ///
    /// Fails if another xtask uses the instance, or if one of the steps fails. What was started until then is ended.
    pub async fn bring_up(instance: &Instance, steps: &mut Steps) -> Result<Self> {
        let lock = StateLock::acquire(&instance.state_dir)?;
        let outputs_path = instance.state_dir.join("outputs.json");
        paths::remove_file(&outputs_path)?;
        steps.begin(
            "Building the release binaries, and installing the emulator and the SAM CLI (the first time: some minutes)",
        );
        let (venv, sam, binaries) =
            tokio::try_join!(Venv::ensure(&EMULATOR), Sam::ensure(), functions::build(instance.processor))?;
        steps.done("built and installed");
        steps.begin(instance.backend.start_text());
        let (emulator, services) = start_servers(&venv, instance).await?;
        steps.done(&format!("ready at {}", emulator.endpoint_url));
        steps.begin("Deploying template.yaml with sam deploy");
        let listener = listen(instance).await?;
        let api_url = format!("http://{}", listener.local_addr()?);
        let sdk = aws::root_at(&emulator.endpoint_url).await;
        let deployed = instance.state_dir.join("deployed");
        let template = functions::lay_out(&deployed, &binaries, instance.processor)?;
        let stack = deploy(&sam, &sdk, &emulator.endpoint_url, &template, &api_url, instance).await?;
        let proxy = Proxy::start(listener, &emulator.endpoint_url, &stack.get("ApiId")?);
        steps.done(&format!("the API is at {api_url}"));
        let outputs = Outputs::of_stack(
            &api_url,
            &emulator.endpoint_url,
            services.backend,
            services.endpoints.clone(),
            &stack,
        )?;
        let event_sources = services.take_over(&sdk, &outputs).await?;
        Ok(Self {
            outputs,
            outputs_path,
            deployed,
            sdk,
            _proxy: proxy,
            _event_sources: event_sources,
            emulator,
            _services: services,
            _lock: lock,
        })
    }

    /// Writes sample data as the next step.
    ///
    /// # Errors
    ///
    /// Fails if the data cannot be written.
    pub async fn seed(&mut self, options: &SeedOptions, steps: &mut Steps) -> Result<()> {
        steps.begin(&format!("Seeding {} runs", indicatif::HumanCount(options.runs as u64)));
        add_sample_data(&mut self.outputs, options).await?;
        steps.done(&format!("{} users", self.outputs.users.len()));
        Ok(())
    }

    /// Writes `outputs.json`: from here on other programs may use the system.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written.
    pub fn announce(&self) -> Result<()> {
        self.outputs.write(&self.outputs_path)
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = paths::remove_file(&self.outputs_path);
    }
}

/// Writes sample data into the tables that `outputs` names, and adds the users to `outputs`.
///
/// # Errors
///
/// Fails if the data cannot be written.
pub async fn add_sample_data(outputs: &mut Outputs, options: &SeedOptions) -> Result<()> {
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws::root_at(outputs.endpoint_of("dynamodb")).await);
    let bar = terminal::bar(0);
    let show = |written: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(written as u64);
    };
    let tables = &outputs.tables;
    let users = seed::seed(&dynamodb, &tables.usage_records, &tables.directory, options, show).await;
    drop(bar);
    outputs.add_users(users.context("the sample data cannot be written")?);
    Ok(())
}

async fn start_servers(venv: &Venv, instance: &Instance) -> Result<(Emulator, Services)> {
    let place = Place::new(&instance.state_dir)?;
    let services = Services::start(instance.backend, &place).await?;
    let port = server::free_port(instance.emulator_port)?;
    note_other_port(instance.emulator_port, port);
    let _spinner = terminal::spinner();
    let emulator = Emulator::start(venv, place, port, instance.proxy_port, &services).await?;
    Ok((emulator, services))
}

async fn listen(instance: &Instance) -> Result<TcpListener> {
    let listener = proxy::listen(instance.api_port).await?;
    note_other_port(instance.api_port, listener.local_addr()?.port());
    Ok(listener)
}

/// Says so if a port other than the wanted one is used. 0 stands for any port.
fn note_other_port(wanted: u16, used: u16) {
    if wanted != 0 && used != wanted {
        note(&format!("port {wanted} is taken: using {used}"));
    }
}

async fn deploy(
    sam: &Sam,
    sdk: &SdkConfig,
    endpoint_url: &str,
    template: &Path,
    page_url: &str,
    instance: &Instance,
) -> Result<StackOutputs> {
    let _spinner = terminal::spinner();
    // Whoever deploys to AWS has done this before.
    aws_sdk_sesv2::Client::new(sdk).create_email_identity().email_identity(EMAIL_DOMAIN).send().await?;
    let mut parameters = vec![
        ("Architecture", instance.processor.architecture()?),
        ("RequireTls", "false"),
        ("PageUrl", page_url),
        ("EmailFrom", EMAIL_FROM),
        ("SesIdentity", EMAIL_DOMAIN),
    ];
    parameters.extend_from_slice(instance.parameters);
    stack::deploy(sam, endpoint_url, template, &parameters).await?;
    let cloudformation = aws_sdk_cloudformation::Client::new(sdk);
    let worker = stack::physical_id(&cloudformation, "ExportWorkerRole").await?;
    let reconciler = stack::physical_id(&cloudformation, "ExportReconcilerRole").await?;
    let parameters = [("WorkerRole", worker.as_str()), ("ReconcilerRole", &reconciler)];
    stack::create(&cloudformation, "usage-data-export-local", LOCAL_TEMPLATE, &parameters).await?;
    stack::outputs(&cloudformation).await
}
