//! What the system calls in place of AWS.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What stands in for which services. The functions, their schedule and the HTTP API are the emulator's in each of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// `MiniStack` for everything.
    #[default]
    Ministack,
    /// Amazon's DynamoDB Local for the tables.
    DynamodbLocal,
    /// `LocalStack` for tables, files and queues, aws-ses-v2-local for emails.
    Localstack,
}

impl Backend {
    /// What the start of its servers and of the emulator is called as a step.
    pub fn start_text(self) -> &'static str {
        match self {
            Self::Ministack => "Starting the emulator",
            Self::DynamodbLocal => "Installing and starting DynamoDB Local and the emulator",
            Self::Localstack => "Installing and starting LocalStack, aws-ses-v2-local and the emulator",
        }
    }
}
