//! Node.js packages, fetched by npm.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::{command, terminal};

/// Succeeds in Node.js 18 or newer, which is what the bundler's `engines` asks for.
const IS_NEW_ENOUGH: &str = "process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)";
const HOW_TO_INSTALL: &str =
    "on Debian and Ubuntu: apt-get install nodejs npm; elsewhere: https://nodejs.org";

/// Fetches the packages that `package-lock.json` in this folder pins, unless they are there.
///
/// # Errors
///
/// Fails if Node.js is missing or older than 18, and if npm fails.
pub async fn install(dir: &Path) -> Result<()> {
    require_node().await?;
    let wanted = sha256(&dir.join("package-lock.json"))?;
    // npm begins by removing the folder, so a half-made one has no stamp and is made again.
    let stamp = dir.join("node_modules/.package-lock.sha256");
    if is_stamped(&stamp, &wanted) {
        return Ok(());
    }
    let _spinner = terminal::spinner();
    command::output(command::program("npm").arg("ci").current_dir(dir))
        .await
        .context("npm cannot install the packages")?;
    fs::write(stamp, wanted)?;
    Ok(())
}

async fn require_node() -> Result<()> {
    for program in ["node", "npm"] {
        if !command::exists(program, &["--version"]).await {
            bail!("{program} is not installed, but Node.js 18 or newer is needed; {HOW_TO_INSTALL}");
        }
    }
    if !command::exists("node", &["--eval", IS_NEW_ENOUGH]).await {
        bail!("node is older than 18, but Node.js 18 or newer is needed; {HOW_TO_INSTALL}");
    }
    Ok(())
}

/// Fetches the archive of one package, without those that it depends on, into this folder.
///
/// # Errors
///
/// Fails as [`install`] does.
pub async fn pack(package: &str, dir: &Path) -> Result<()> {
    require_node().await?;
    let mut npm = command::program("npm");
    npm.args(["pack", "--silent", package, "--pack-destination"]).arg(dir);
    command::output(&mut npm).await.with_context(|| format!("npm cannot fetch {package}"))?;
    Ok(())
}

/// Whether this file holds `wanted`: the SHA-256 of what something was made from.
pub fn is_stamped(stamp: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|made| made == wanted)
}

/// The SHA-256 of a file, in hexadecimal digits.
///
/// # Errors
///
/// Fails if the file cannot be read.
pub fn sha256(file: &Path) -> Result<String> {
    let content = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(hex::encode(Sha256::digest(content)))
}
