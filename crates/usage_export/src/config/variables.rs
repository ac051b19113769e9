//! Environment variables, and what may be wrong with one.

use std::env::{self, VarError};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// What is wrong with the environment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The variable is not set, or is empty.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// The variable does not parse.
    #[error("environment variable {name}: {reason}")]
    Malformed {
        /// The variable's name.
        name: &'static str,
        /// What the parser said.
        reason: String,
    },
}

/// A variable that may be absent. An empty one counts as absent.
///
/// # Errors
///
/// The variable is not Unicode.
pub fn optional(name: &'static str) -> Result<Option<String>, ConfigError> {
    Variables::of_process().optional(name)
}

/// Looks a variable up: in the process's environment, or in a test's own, because a test must not change the
/// environment that it shares with others.
#[derive(Clone, Copy)]
pub struct Variables<'a>(pub &'a dyn Fn(&str) -> Result<String, VarError>);

impl Variables<'_> {
    /// The environment of this process.
    pub fn of_process() -> Self {
        Variables(&|name| env::var(name))
    }

    /// A variable that must be there and not be empty.
    pub fn required(self, name: &'static str) -> Result<String, ConfigError> {
        self.optional(name)?.ok_or(ConfigError::Missing(name))
    }

    /// A variable that may be absent; an empty one counts as absent.
    pub fn optional(self, name: &'static str) -> Result<Option<String>, ConfigError> {
        match (self.0)(name) {
            Ok(value) if value.is_empty() => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(VarError::NotPresent) => Ok(None),
            // The text of this error would quote the value.
            Err(VarError::NotUnicode(_)) => {
                Err(ConfigError::Malformed { name, reason: "not Unicode".to_owned() })
            }
        }
    }

    /// A variable that must be there and parse.
    pub fn parsed<T>(self, name: &'static str) -> Result<T, ConfigError>
    where
        T: FromStr,
        T::Err: Display,
    {
        parse(name, &self.required(name)?)
    }

    /// `true` or `false`, or the default for an absent variable.
    pub fn flag_or(self, name: &'static str, default: bool) -> Result<bool, ConfigError> {
        self.optional(name)?.map_or(Ok(default), |value| parse(name, &value))
    }

    /// A number within `range`, or the default for an absent variable.
    pub fn number_or<T>(
        self,
        name: &'static str,
        default: T,
        range: RangeInclusive<T>,
    ) -> Result<T, ConfigError>
    where
        T: FromStr + PartialOrd + Display,
        T::Err: Display,
    {
        let Some(value) = self.optional(name)? else { return Ok(default) };
        let number = parse(name, &value)?;
        if range.contains(&number) {
            return Ok(number);
        }
        let reason = format!("{number} is not within {} to {}", range.start(), range.end());
        Err(ConfigError::Malformed { name, reason })
    }
}

fn parse<T>(name: &'static str, value: &str) -> Result<T, ConfigError>
where
    T: FromStr,
    T::Err: Display,
{
    value.parse().map_err(|error: T::Err| ConfigError::Malformed { name, reason: error.to_string() })
}
