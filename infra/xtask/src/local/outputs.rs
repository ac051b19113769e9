//! `outputs.json`: the addresses, names and keys that tests, the benchmark and people need to use the system that is up.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use seed::SeededUser;
use serde::{Deserialize, Serialize};

use super::aws;
use super::backend::Backend;
use super::stack::StackOutputs;
use crate::paths;

/// The content of the file.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Outputs {
    /// Origin of the API, without a slash at the end.
    pub api_url: String,
    /// The settings page.
    pub page_url: String,
    pub backend: Backend,
    /// The emulator, for SDK clients.
    pub endpoint_url: String,
    /// Where other servers stand in for it, by the service as in the SDKs' variables `AWS_ENDPOINT_URL_<SERVICE>`.
    pub service_endpoint_urls: BTreeMap<String, String>,
    /// Shows the sent emails.
    pub emails_url: String,
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub tables: Tables,
    pub bucket: String,
    pub queue_url: String,
    pub dlq_url: String,
    /// Users of the sample data. The first is an administrator of an organization on the enterprise tier.
    pub users: Vec<SeededUser>,
}

/// Names of the tables.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Tables {
    pub usage_records: String,
    pub directory: String,
    pub exports: String,
    pub audit: String,
}

impl Outputs {
    /// Takes the outputs of the stack. There are no users yet.
    ///
    /// # Errors
    ///
    /// Fails if the stack lacks one of the outputs.
    pub fn of_stack(
        api_url: &str,
        endpoint_url: &str,
        backend: Backend,
        service_endpoint_urls: BTreeMap<String, String>,
        stack: &StackOutputs,
    ) -> Result<Self> {
        let emails_url = match service_endpoint_urls.get("sesv2") {
            Some(url) => format!("{url}/store"),
            None => format!("{endpoint_url}/_ministack/ses/messages"),
        };
        Ok(Self {
            api_url: api_url.to_owned(),
            page_url: format!("{api_url}/settings/organization/data_export"),
            backend,
            endpoint_url: endpoint_url.to_owned(),
            service_endpoint_urls,
            emails_url,
            region: aws::REGION.to_owned(),
            access_key_id: aws::ROOT_KEY.to_owned(),
            secret_access_key: aws::ROOT_KEY.to_owned(),
            tables: Tables {
                usage_records: stack.get("UsageRecordsTableName")?,
                directory: stack.get("DirectoryTableName")?,
                exports: stack.get("ExportsTableName")?,
                audit: stack.get("AuditTableName")?,
            },
            bucket: stack.get("BucketName")?,
            queue_url: stack.get("QueueUrl")?,
            dlq_url: stack.get("DeadLetterQueueUrl")?,
            users: Vec::new(),
        })
    }

    /// Where to call a service.
    pub fn endpoint_of(&self, service: &str) -> &str {
        self.service_endpoint_urls.get(service).unwrap_or(&self.endpoint_url)
    }

    /// Reads the file of the system that `up` or `demo` has brought up; also gives its path.
    ///
    /// # Errors
    ///
    /// Fails if that system is not up or the file cannot be read.
    pub fn read() -> Result<(PathBuf, Self)> {
        let path = paths::state_dir().join("outputs.json");
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("the local system is not up: run `cargo xtask up` in another terminal first")
            }
            text => text.with_context(|| format!("{} cannot be read", path.display()))?,
        };
        let outputs = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not as expected", path.display()))?;
        Ok((path, outputs))
    }

    /// Reads the file that the variable `USAGE_EXPORT_OUTPUTS` names, as tests have it. `None` without the variable.
    pub fn of_tests() -> Option<Result<Self>> {
        let path = PathBuf::from(std::env::var_os("USAGE_EXPORT_OUTPUTS")?);
        let read = || anyhow::Ok(serde_json::from_slice(&std::fs::read(&path)?)?);
        Some(read().with_context(|| format!("{} cannot be read", path.display())))
    }

    /// Writes the file at once, so that a program that waits for it never reads half of it.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let temporary = path.with_extension("json.temporary");
        std::fs::write(&temporary, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(&temporary, path).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// Adds the users that are not in the file yet.
    pub fn add_users(&mut self, users: Vec<SeededUser>) {
        for user in users {
            if !self.users.iter().any(|known| known.api_key == user.api_key) {
                self.users.push(user);
            }
        }
    }
}
