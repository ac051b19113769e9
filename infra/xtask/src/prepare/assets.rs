//! The script and the style sheet of the settings page: npm fetches their packages, `build.mjs` bundles them. They are
//! compiled into the page's function, so whatever compiles it needs them first.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::npm;
use crate::{command, paths};

/// Folders that npm and the bundler make; a bundle is made from everything else.
const GENERATED: [&str; 2] = ["node_modules", "dist"];

/// Bundles them, unless that was done from the same files. Cargo compiles the page again when a bundle was written.
///
/// # Errors
///
/// Fails if the packages cannot be installed (as [`npm::install`] does) or the bundler fails.
pub async fn build() -> Result<()> {
    let dir = paths::root().join("functions/settings_page/assets");
    npm::install(&dir).await?;
    let sources = npm::sha256(&sources(&dir)?)?;
    let stamp = dir.join("node_modules/.bundled.sha256");
    if dir.join("dist").is_dir() && npm::is_stamped(&stamp, &sources) {
        return Ok(());
    }
    paths::remove_file(&stamp)?;
    command::output(command::program("node").arg("build.mjs").current_dir(&dir))
        .await
        .context("the script of the settings page cannot be bundled")?;
    fs::write(stamp, sources)?;
    Ok(())
}

/// All files that a bundle is made from, sorted.
fn sources(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("{} cannot be read", dir.display()))? {
        let entry = entry?;
        if GENERATED.iter().any(|generated| entry.file_name() == *generated) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sha256_changes_with_a_source_file_and_ignores_generated_files() {
        let dir = std::env::temp_dir().join(format!("usage-export-assets-{}", std::process::id()));
        for folder in ["node_modules/esbuild", "dist", "parts"] {
            fs::create_dir_all(dir.join(folder)).unwrap();
        }
        for file in ["page.js", "parts/sign_in.js", "dist/page.js", "node_modules/esbuild/index.js"] {
            fs::write(dir.join(file), "first").unwrap();
        }
        let files = sources(&dir).unwrap();
        assert_eq!(files, [dir.join("page.js"), dir.join("parts/sign_in.js")]);

        let before = npm::sha256(&files).unwrap();
        assert_eq!(npm::sha256(&files).unwrap(), before);
        fs::write(dir.join("parts/sign_in.js"), "second").unwrap();
        assert_ne!(npm::sha256(&files).unwrap(), before);
        fs::remove_dir_all(&dir).unwrap();
    }
}
