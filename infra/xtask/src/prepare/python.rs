//! Python environments: pip fetches the packages that a list pins.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, iter};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::{command, paths};

/// The packages of an environment.
pub struct Requirements {
    /// Name of the environment's folder.
    name: &'static str,
    /// The list, for pip.
    text: &'static str,
    /// Held while the environment is made: two steps of a command may want the same one at a time.
    making: Mutex<()>,
}

/// The emulator, and boto3 for the benchmark's peer and the scripts of `docs/ministack`.
pub static EMULATOR: Requirements =
    Requirements::new("emulator", include_str!("../../requirements-emulator.txt"));
/// The SAM CLI, and cfn-lint.
pub static SAM: Requirements = Requirements::new("sam", include_str!("../../requirements-sam.txt"));
/// checkov.
pub static CHECKOV: Requirements =
    Requirements::new("checkov", include_str!("../../requirements-checkov.txt"));
/// schemathesis.
pub static SCHEMATHESIS: Requirements =
    Requirements::new("schemathesis", include_str!("../../requirements-schemathesis.txt"));
/// `LocalStack`.
pub static LOCALSTACK: Requirements =
    Requirements::new("localstack", include_str!("../../requirements-localstack.txt"));
/// What `sam build` needs, and `cargo lambda invoke`.
pub static CARGO_LAMBDA: Requirements =
    Requirements::new("cargo-lambda", include_str!("../../requirements-cargo-lambda.txt"));

impl Requirements {
    const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text, making: Mutex::const_new(()) }
    }
}

/// A virtual environment.
pub struct Venv {
    dir: PathBuf,
}

impl Venv {
    /// Makes the environment, unless it is there with these packages.
    ///
    /// # Errors
    ///
    /// Fails if Python is missing or older than 3.11, has no `venv` module, or pip fails.
    pub async fn ensure(requirements: &Requirements) -> Result<Self> {
        let _making = requirements.making.lock().await;
        let venv = Self { dir: paths::state_dir().join("venv").join(requirements.name) };
        let wanted = hex::encode(Sha256::digest(requirements.text));
        let stamp = venv.dir.join("requirements.sha256");
        if std::fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
            return Ok(venv);
        }
        make(&venv.dir).await?;
        let list = format!("infra/xtask/requirements-{}.txt", requirements.name);
        let mut pip = command::program(venv.program("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        command::output(pip.arg(&list))
            .await
            .with_context(|| format!("the packages of {list} cannot be installed"))?;
        // Written last, so a half-made environment has no stamp and is made again.
        std::fs::write(stamp, wanted)?;
        Ok(venv)
    }

    fn bin(&self) -> PathBuf {
        self.dir.join("bin")
    }

    /// `PATH` with its programs before all others.
    pub fn path(&self) -> OsString {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = iter::once(self.bin()).chain(env::split_paths(&path));
        env::join_paths(folders).unwrap_or(path)
    }

    /// The path of a program in the environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin().join(name)
    }
}

async fn make(dir: &Path) -> Result<()> {
    if !command::exists("python3", &["--version"]).await {
        bail!(
            "python3 is not installed. The local system needs Python 3.11 or newer; \
             on Debian and Ubuntu: apt-get install python3 python3-venv"
        );
    }
    if !command::exists("python3", &["-c", "import sys; sys.exit(sys.version_info < (3, 11))"]).await {
        bail!(
            "python3 is older than 3.11. The local system needs Python 3.11 or newer in the PATH as python3"
        );
    }
    let mut python = command::program("python3");
    python.args(["-m", "venv", "--clear"]).arg(dir);
    command::output(&mut python).await.context(
        "Python cannot make a virtual environment. Where its venv module is missing, install it; \
         on Debian and Ubuntu: apt-get install python3-venv",
    )?;
    Ok(())
}
