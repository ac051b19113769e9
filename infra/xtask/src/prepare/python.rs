//! The Python environment with the emulator, cfn-lint and the benchmark's boto3.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::{command, paths, terminal};

const REQUIREMENTS: &str = include_str!("../../requirements.txt");

/// A virtual environment with the packages that `requirements.txt` pins.
pub struct Venv {
    dir: PathBuf,
}

impl Venv {
    /// Makes the environment, unless it is there with these packages.
    ///
    /// # Errors
    ///
    /// Fails if Python is missing or older than 3.10, has no `venv` module, or pip fails.
    pub async fn ensure() -> Result<Self> {
        let venv = Self { dir: paths::state_dir().join("venv") };
        let wanted = hex::encode(Sha256::digest(REQUIREMENTS));
        let stamp = venv.dir.join("requirements.sha256");
        if std::fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
            return Ok(venv);
        }
        let _spinner = terminal::spinner();
        make(&venv.dir).await?;
        let requirements = paths::root().join("infra/xtask/requirements.txt");
        let mut pip = command::program(venv.program("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        command::output(pip.arg(requirements))
            .await
            .context("the packages of the local system cannot be installed")?;
        // Written last, so a half-made environment has no stamp and is made again.
        std::fs::write(stamp, wanted)?;
        Ok(venv)
    }

    /// The path of a program in the environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join("bin").join(name)
    }
}

async fn make(dir: &Path) -> Result<()> {
    if !command::exists("python3", &["--version"]).await {
        bail!(
            "python3 is not installed. The local system needs Python 3.10 or newer; \
             on Debian and Ubuntu: apt-get install python3 python3-venv"
        );
    }
    if !command::exists("python3", &["-c", "import sys; sys.exit(sys.version_info < (3, 10))"]).await {
        bail!(
            "python3 is older than 3.10. The local system needs Python 3.10 or newer in the PATH as python3"
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
