//! The deployment that a command is about: the local system that is up, or a stack on AWS.

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, SdkConfig};

use crate::local::aws;
use crate::local::outputs::Outputs;
use crate::local::stack;

/// Where its tables and queues are, and how to call them.
pub struct Deployment {
    /// As a person knows it.
    pub name: String,
    pub dynamodb: SdkConfig,
    pub sqs: SdkConfig,
    pub directory_table: String,
    pub exports_table: String,
    pub queue_url: String,
    pub dead_letter_queue_url: String,
}

impl Deployment {
    /// The stack of this name, with the credentials that the AWS CLI uses. Without a name the local system: that of the tests where
    /// they run.
    ///
    /// # Errors
    ///
    /// Fails if there is none.
    pub async fn find(stack: Option<&str>) -> Result<Self> {
        match stack {
            Some(name) => Self::of_stack(name).await,
            None => Self::of_local_system().await,
        }
    }

    async fn of_local_system() -> Result<Self> {
        let outputs = Outputs::of_tests().unwrap_or_else(|| Outputs::read().map(|(_, outputs)| outputs))?;
        Ok(Self {
            name: "the local system".to_owned(),
            dynamodb: aws::root_at(outputs.endpoint_of("dynamodb")).await,
            sqs: aws::root_at(outputs.endpoint_of("sqs")).await,
            directory_table: outputs.tables.directory,
            exports_table: outputs.tables.exports,
            queue_url: outputs.queue_url,
            dead_letter_queue_url: outputs.dlq_url,
        })
    }

    async fn of_stack(name: &str) -> Result<Self> {
        let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let outputs = stack::outputs_of(&aws_sdk_cloudformation::Client::new(&sdk), name).await;
        let outputs = outputs.with_context(|| {
            format!(
                "the stack {name} cannot be read: check its name, the region (AWS_REGION) and the credentials"
            )
        })?;
        Ok(Self {
            name: format!("stack {name}"),
            dynamodb: sdk.clone(),
            sqs: sdk,
            directory_table: outputs.get("DirectoryTableName")?,
            exports_table: outputs.get("ExportsTableName")?,
            queue_url: outputs.get("QueueUrl")?,
            dead_letter_queue_url: outputs.get("DeadLetterQueueUrl")?,
        })
    }
}
