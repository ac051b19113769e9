//! Settings from environment variables: one small struct per concern.
//!
//! A missing or malformed variable is an error that names it, at start and not at the first request.

use std::env::{self, VarError};
use std::fmt::Display;
use std::str::FromStr;

/// What is wrong with the environment.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The variable is not set, or is empty.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// The variable does not parse.
    #[error("environment variable {name}: {reason}")]
    Malformed {
        /// Its name.
        name: &'static str,
        /// What the parser said.
        reason: String,
    },
}

/// A variable that must be there.
pub fn required(name: &'static str) -> Result<String, ConfigError> {
    optional(name)?.ok_or(ConfigError::Missing(name))
}

/// A variable that may be absent or empty.
pub fn optional(name: &'static str) -> Result<Option<String>, ConfigError> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(error) => Err(ConfigError::Malformed { name, reason: error.to_string() }),
    }
}

/// A variable that is parsed, with a default for an absent one.
pub fn parsed_or<T>(name: &'static str, default: T) -> Result<T, ConfigError>
where
    T: FromStr,
    T::Err: Display,
{
    match optional(name)? {
        None => Ok(default),
        Some(value) => {
            value.parse().map_err(|error: T::Err| ConfigError::Malformed { name, reason: error.to_string() })
        }
    }
}
