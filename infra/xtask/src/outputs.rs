//! `outputs.json`: what tests and people need to talk to the system that is up.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::seed::SeededUser;
use crate::{aws, tools};

/// The file's content.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Outputs {
    /// Origin of the API, without a slash at the end.
    pub api_url: String,
    /// The settings page.
    pub page_url: String,
    /// The emulator, for SDK clients.
    pub endpoint_url: String,
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub tables: Tables,
    pub bucket: String,
    pub queue_url: String,
    pub dlq_url: String,
    /// Of the sample data; the first is an administrator of an organization on the enterprise tier.
    pub users: Vec<SeededUser>,
}

/// Names of the tables.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Tables {
    pub usage_records: String,
    pub directory: String,
    pub exports: String,
}

impl Outputs {
    /// From what the stack says about itself, with no users yet.
    pub fn of_stack(api_url: &str, endpoint_url: &str, stack: &crate::stack::StackOutputs) -> Result<Self> {
        Ok(Self {
            api_url: api_url.to_owned(),
            page_url: format!("{api_url}/settings/organization/data_export"),
            endpoint_url: endpoint_url.to_owned(),
            region: aws::REGION.to_owned(),
            access_key_id: aws::ROOT_KEY.to_owned(),
            secret_access_key: aws::ROOT_KEY.to_owned(),
            tables: Tables {
                usage_records: stack.get("UsageRecordsTableName")?,
                directory: stack.get("DirectoryTableName")?,
                exports: stack.get("ExportsTableName")?,
            },
            bucket: stack.get("BucketName")?,
            queue_url: stack.get("QueueUrl")?,
            dlq_url: stack.get("DeadLetterQueueUrl")?,
            users: Vec::new(),
        })
    }

    /// Those of the system that `up` or `demo` has brought up.
    pub fn read() -> Result<(PathBuf, Self)> {
        let path = tools::state_dir().join("outputs.json");
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

    /// Whoever waits for the file never sees half of it.
    pub fn write(&self, path: &Path) -> Result<()> {
        let unfinished = path.with_extension("json.unfinished");
        std::fs::write(&unfinished, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(&unfinished, path).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// Adds users that are not there yet.
    pub fn add_users(&mut self, users: Vec<SeededUser>) {
        for user in users {
            if !self.users.iter().any(|known| known.api_key == user.api_key) {
                self.users.push(user);
            }
        }
    }
}
