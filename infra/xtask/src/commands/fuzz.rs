//! `cargo xtask fuzz`: feeds random input to the fuzz targets, and random requests to the API, and fails if one finds a fault.

mod api;
mod target;

use anyhow::{Result, ensure};
use chrono::{DateTime, Utc};
use clap::Args;
use futures::future::try_join_all;

use self::target::Target;

/// Stands for the API among the names of the targets.
const API: &str = "api";

/// How many times longer the API is fuzzed than the targets: a request takes a thousand times longer than an input of a target.
const API_SHARE: u32 = 2;

/// What to fuzz, and for how long.
#[derive(Args, Debug)]
pub struct FuzzOptions {
    /// Fuzz for this many seconds, after everything is built: all targets at the same time, then the API for twice as long.
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// Fuzz only this target, or only the API (`api`) [default: all].
    target: Option<String>,
}

/// Builds the targets and runs them for the given time, then makes requests of the API document.
///
/// # Errors
///
/// Fails if there is no such target, if one does not build, or if one or the API has a fault.
pub async fn fuzz(options: &FuzzOptions, now: DateTime<Utc>) -> Result<()> {
    let wanted = options.target.as_deref();
    if wanted != Some(API) {
        let mut targets = Target::all().await?;
        let names: Vec<_> = targets.iter().map(Target::name).chain([API]).collect();
        let shown = names.join(", ");
        ensure!(
            wanted.is_none_or(|it| names.contains(&it)),
            "there is no fuzz target {wanted:?}, only {shown}"
        );
        targets.retain(|target| wanted.is_none_or(|wanted| target.name() == wanted));
        for target in &targets {
            target.build().await?;
        }
        try_join_all(targets.iter().map(|target| target.run(options.seconds))).await?;
    }
    if wanted.is_none_or(|wanted| wanted == API) {
        api::fuzz(API_SHARE * options.seconds, now).await?;
    }
    Ok(())
}
