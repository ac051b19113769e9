//! x
use crate::{Options, stages::Findings};
/// x
pub fn write(options: &Options, findings: &Findings) -> anyhow::Result<std::process::ExitCode> {
    println!("{options:?} {findings:?}");
    Ok(std::process::ExitCode::SUCCESS)
}
