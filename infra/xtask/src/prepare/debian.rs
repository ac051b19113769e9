//! Programs that come as packages of Debian.

use std::path::Path;

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;

use crate::{command, terminal};

/// Packages, what shows that they are there, and what they are for.
pub struct Packages {
    /// Installed at once, so that their versions fit each other.
    names: &'static [&'static str],
    /// Programs in the `PATH`.
    programs: &'static [&'static str],
    /// A folder.
    folder: Option<&'static str>,
    what_for: &'static str,
}

/// The browser and its driver.
pub const CHROMIUM: Packages = Packages {
    names: &["chromium", "chromium-driver"],
    programs: &["chromium", "chromedriver"],
    folder: None,
    what_for: "The tests of the settings page",
};

/// What DynamoDB Local runs on.
pub const JAVA: Packages = Packages {
    names: &["default-jre-headless"],
    programs: &["java"],
    folder: None,
    what_for: "Tables in DynamoDB Local",
};

/// Where the C library of arm64 is.
pub const ARM64_ROOT: &str = "/usr/aarch64-linux-gnu";

/// Programs for arm64 on another processor.
pub const QEMU_ARM64: Packages = Packages {
    names: &["qemu-user-static", "libc6-arm64-cross", "libgcc-s1-arm64-cross"],
    programs: &["qemu-aarch64-static"],
    folder: Some(ARM64_ROOT),
    what_for: "The tests of the functions that are built for arm64",
};

impl Packages {
    /// Makes sure that they are there. Installs them with apt-get if the user is root, which mostly means: in a container.
    ///
    /// # Errors
    ///
    /// Fails if they are missing and may not or cannot be installed; the error says how to install them.
    pub async fn ensure(&self) -> Result<()> {
        let missing = self.missing().await;
        if missing.is_empty() {
            return Ok(());
        }
        let (missing, names) = (missing.join(" and "), self.names.join(" "));
        if !geteuid().is_root() || !command::exists("apt-get", &["--version"]).await {
            bail!("{missing} not found. {} need it; on Debian: apt-get install {names}", self.what_for);
        }
        terminal::note(&format!("{missing} not found: installing with apt-get (a minute)"));
        let _spinner = terminal::spinner();
        if self.install().await.is_err() {
            // The lists of packages may be missing or old.
            apt_get(&["update"]).await?;
            self.install().await.with_context(|| format!("{names} cannot be installed"))?;
        }
        Ok(())
    }

    async fn missing(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        for program in self.programs {
            if !command::exists(program, &["--version"]).await {
                missing.push(*program);
            }
        }
        missing.extend(self.folder.filter(|folder| !Path::new(folder).is_dir()));
        missing
    }

    async fn install(&self) -> Result<()> {
        apt_get(&[&["install", "--yes", "--no-install-recommends"], self.names].concat()).await
    }
}

async fn apt_get(args: &[&str]) -> Result<()> {
    let mut apt_get = command::program("apt-get");
    command::output(apt_get.args(args).env("DEBIAN_FRONTEND", "noninteractive")).await?;
    Ok(())
}
