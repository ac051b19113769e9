//! Which of the systems on this machine is meant.

use std::path::PathBuf;

use anyhow::Result;

use super::backend::Backend;
use super::functions::Processor;
use super::server;
use crate::paths;

const EMULATOR_PORT: u16 = 4566;
const API_PORT: u16 = 8080;

/// Which of the systems on this machine: each has a folder for its state and ports of its own.
pub struct Instance {
    /// The folder of its state: logs, `outputs.json`, temporary files.
    pub state_dir: PathBuf,
    pub emulator_port: u16,
    pub api_port: u16,
    pub processor: Processor,
    pub backend: Backend,
    /// The port at which functions call AWS, if a proxy stands between them and the emulator.
    pub proxy_port: Option<u16>,
    /// Values of parameters of template.yaml, other than the defaults.
    pub parameters: &'static [(&'static str, &'static str)],
}

impl Instance {
    /// The one that people use, at ports they know.
    pub fn main(backend: Backend) -> Self {
        Self {
            state_dir: paths::state_dir(),
            emulator_port: EMULATOR_PORT,
            api_port: API_PORT,
            processor: Processor::Own,
            backend,
            proxy_port: None,
            parameters: &[],
        }
    }

    /// The one of `cargo xtask test`. It can run beside the main one.
    pub fn test(processor: Processor, backend: Backend) -> Self {
        Self { processor, backend, ..Self::beside_main("test") }
    }

    /// The one of `cargo xtask bench`. It can run beside the main one.
    pub fn bench() -> Self {
        Self::beside_main("bench")
    }

    /// The one of `cargo xtask fuzz api`, which makes more requests than any program should. It can run beside the main one.
    pub fn fuzz() -> Self {
        let parameters = &[("KeyRequestLimit", "10000"), ("ActiveExportLimit", "1000")];
        Self { parameters, ..Self::beside_main("fuzz") }
    }

    /// One of those of `cargo xtask faults`, and the port at which its functions call AWS. It can run beside the main one and
    /// beside those with other numbers.
    ///
    /// # Errors
    ///
    /// Fails if no port is free.
    pub fn faults(number: usize) -> Result<(Self, u16)> {
        let port = server::free_port(0)?;
        Ok((Self { proxy_port: Some(port), ..Self::beside_main(&format!("faults/{number}")) }, port))
    }

    fn beside_main(name: &str) -> Self {
        Self {
            state_dir: paths::state_dir().join(name),
            emulator_port: 0,
            api_port: 0,
            processor: Processor::Own,
            backend: Backend::Ministack,
            proxy_port: None,
            parameters: &[],
        }
    }
}
