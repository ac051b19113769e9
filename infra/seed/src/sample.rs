//! The sample data: which organizations there are, who belongs to them, and what runs when.

mod api_key;
mod calendar;
mod costs;
mod directory;
mod generator;
mod names;
mod organization;
mod plan;
mod runs;
mod weighted;
mod workload;

use fastrand::Rng;

use self::directory::Directory;
use self::runs::{Run, Runs};
use crate::SeedOptions;

/// Generates the directory, and gives the random numbers for the runs. Runs have random numbers of their own, so that
/// one more random choice in the directory does not change every run.
pub fn directory(options: &SeedOptions) -> (Directory, Rng) {
    let mut rng = Rng::with_seed(options.seed);
    let runs_rng = rng.fork();
    (Directory::generate(&mut rng, options.now.date_naive()), runs_rng)
}

/// The runs that the options ask for, generated as they are taken.
pub fn runs<'a>(
    directory: &'a Directory,
    options: &SeedOptions,
    rng: Rng,
) -> impl Iterator<Item = Run<'a>> + use<'a> {
    Runs::new(directory, options.now.date_naive(), rng).take(options.runs)
}

/// A new id such as `wsp_0123…`, with 32 hexadecimal digits. `prefix` says what kind of thing it names.
fn new_id(prefix: &str, rng: &mut Rng) -> String {
    format!("{prefix}_{:032x}", rng.u128(..))
}

#[cfg(test)]
mod tests;
