//! The script and the style sheet of the settings page: npm fetches their packages, `build.mjs` bundles them. They are
//! compiled into the page's function, so whatever compiles that needs them first.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::tools;

/// The oldest that the bundler runs on: `engines` in package.json.
const IS_NEW_ENOUGH: &str = "process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)";
const HOW_TO_INSTALL: &str =
    "on Debian and Ubuntu: apt-get install nodejs npm; elsewhere: https://nodejs.org";
/// What npm and the bundler make; the rest is what they make it from.
const MADE: [&str; 2] = ["node_modules", "dist"];

/// Bundles them, unless that was done from the same files. A bundle that was written again would make cargo compile
/// the page again.
pub async fn build() -> Result<()> {
    let dir = tools::root().join("functions/settings_page/assets");
    require_node().await?;
    install(&dir).await?;
    let sources = digest(&sources(&dir)?)?;
    let stamp = dir.join("node_modules/.bundled.sha256");
    if dir.join("dist").is_dir() && is_stamped(&stamp, &sources) {
        return Ok(());
    }
    tools::remove_file(&stamp)?;
    tools::output(tools::command("node").arg("build.mjs").current_dir(&dir))
        .await
        .context("the script of the settings page cannot be bundled")?;
    fs::write(stamp, sources)?;
    Ok(())
}

async fn require_node() -> Result<()> {
    for program in ["node", "npm"] {
        if !tools::exists(program, &["--version"]).await {
            bail!(
                "{program} is not installed. The settings page needs Node.js 18 or newer to bundle its script; \
                 {HOW_TO_INSTALL}"
            );
        }
    }
    if !tools::exists("node", &["--eval", IS_NEW_ENOUGH]).await {
        bail!(
            "node is older than 18. The settings page needs Node.js 18 or newer to bundle its script; \
             {HOW_TO_INSTALL}"
        );
    }
    Ok(())
}

/// Fetches what `package-lock.json` pins, unless it is there.
pub async fn install(dir: &Path) -> Result<()> {
    let wanted = digest(&[dir.join("package-lock.json")])?;
    // npm begins with removing the folder: a half-made one has no stamp and is made again.
    let stamp = dir.join("node_modules/.package-lock.sha256");
    if is_stamped(&stamp, &wanted) {
        return Ok(());
    }
    tools::output(tools::command("npm").arg("ci").current_dir(dir))
        .await
        .context("the packages of npm cannot be installed")?;
    fs::write(stamp, wanted)?;
    Ok(())
}

fn is_stamped(stamp: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|made| made == wanted)
}

/// All files that a bundle is made from, in their order.
fn sources(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("{} cannot be read", dir.display()))? {
        let entry = entry?;
        if MADE.iter().any(|made| entry.file_name() == *made) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            files.extend(sources(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Of the files' names and contents.
fn digest(files: &[PathBuf]) -> Result<String> {
    let mut hash = Sha256::new();
    for file in files {
        let content = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        hash.update(file.as_os_str().as_encoded_bytes());
        hash.update(Sha256::digest(content));
    }
    Ok(hex::encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_follows_from_the_files_that_nothing_makes() {
        let dir = std::env::temp_dir().join(format!("usage-export-assets-{}", std::process::id()));
        for folder in ["node_modules/cally", "dist", "parts"] {
            fs::create_dir_all(dir.join(folder)).unwrap();
        }
        for file in ["page.js", "parts/sign_in.js", "dist/page.js", "node_modules/cally/index.js"] {
            fs::write(dir.join(file), "first").unwrap();
        }
        let files = sources(&dir).unwrap();
        assert_eq!(files, [dir.join("page.js"), dir.join("parts/sign_in.js")]);

        let before = digest(&files).unwrap();
        assert_eq!(digest(&files).unwrap(), before);
        fs::write(dir.join("parts/sign_in.js"), "second").unwrap();
        assert_ne!(digest(&files).unwrap(), before);
        fs::remove_dir_all(&dir).unwrap();
    }
}
