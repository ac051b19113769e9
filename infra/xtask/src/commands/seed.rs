//! `cargo xtask seed`: more sample data for the system that is up.

use anyhow::Result;
use indicatif::HumanCount;
use seed::SeedOptions;

use crate::local::add_sample_data;
use crate::local::outputs::Outputs;
use crate::paths;
use crate::terminal::Steps;

/// Writes the data into the tables of the system that is up, and its users into `outputs.json`.
///
/// # Errors
///
/// Fails if no system is up or the data cannot be written.
pub async fn seed(options: &SeedOptions) -> Result<()> {
    let (path, mut outputs) = Outputs::read()?;
    let known = outputs.users.len();
    let mut steps = Steps::new(1);
    steps.begin(&format!("Seeding {} runs", HumanCount(options.runs as u64)));
    add_sample_data(&mut outputs, options).await?;
    outputs.write(&path)?;
    steps.done(&format!("{} more users in {}", outputs.users.len() - known, paths::shown(&path)));
    Ok(())
}
