//! Servers that stand in for some of the services, in place of the emulator that serves the others: what is true only on
//! one of them does not stay unseen.

mod dynamodb_local;
mod emails;
mod localstack;
pub mod queues;
mod resources;

use std::collections::BTreeMap;

use anyhow::Result;
use aws_config::SdkConfig;

use self::queues::EventSources;
use super::backend::Backend;
use super::outputs::Outputs;
use super::server::{Place, Server};

/// The servers of a backend, until this is dropped.
pub struct Services {
    pub backend: Backend,
    /// The URL for each service, by its name in SDKs' variables `AWS_ENDPOINT_URL_<NAME>`, but in small letters.
    pub endpoints: BTreeMap<String, String>,
    _servers: Vec<Server>,
}

impl Services {
    /// Installs and starts the servers of a backend.
    ///
    /// # Errors
    ///
    /// Fails if one cannot be installed or does not start.
    pub async fn start(backend: Backend, place: &Place) -> Result<Self> {
        let started = match backend {
            Backend::Ministack => vec![],
            Backend::DynamodbLocal => vec![dynamodb_local::start(place).await?],
            Backend::Localstack => {
                let (localstack, emails) = tokio::try_join!(localstack::start(place), emails::start(place))?;
                vec![localstack, emails]
            }
        };
        let mut endpoints = BTreeMap::new();
        let mut servers = Vec::new();
        for Started { server, url, services } in started {
            endpoints.extend(services.iter().map(|service| ((*service).to_owned(), url.clone())));
            servers.extend(server);
        }
        Ok(Self { backend, endpoints, _servers: servers })
    }

    /// Variables that make every SDK call a service where it is.
    pub fn environment(&self) -> impl Iterator<Item = (String, &str)> {
        let variable = |service: &str| format!("AWS_ENDPOINT_URL_{}", service.to_uppercase());
        self.endpoints.iter().map(move |(service, url)| (variable(service), url.as_str()))
    }

    /// Whether calls are judged by the roles of the functions.
    pub fn know_roles(&self) -> bool {
        self.backend != Backend::Localstack
    }

    /// Makes what the stack has in the emulator once more in the services that stand in for it, and hands the functions
    /// what comes through their queues.
    ///
    /// # Errors
    ///
    /// Fails if something cannot be made.
    pub async fn take_over(&self, emulator: &SdkConfig, outputs: &Outputs) -> Result<Option<EventSources>> {
        if let Some(url) = self.endpoints.get("dynamodb") {
            resources::make_tables(emulator, url, &outputs.tables).await?;
        }
        if let Some(url) = self.endpoints.get("s3") {
            resources::make_bucket(emulator, url, &outputs.bucket).await?;
        }
        let Some(url) = self.endpoints.get("sqs") else { return Ok(None) };
        // The dead-letter queue first: the other one names it.
        for queue_url in [&outputs.dlq_url, &outputs.queue_url] {
            resources::make_queue(emulator, url, queue_url).await?;
        }
        Ok(Some(EventSources::start(&outputs.endpoint_url, emulator, url).await?))
    }
}

/// A server, or none where somebody else has started it, and the services for which it stands in.
struct Started {
    server: Option<Server>,
    url: String,
    services: &'static [&'static str],
}
