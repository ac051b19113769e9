//! Embeds the bundled script and style sheet, which `cargo xtask assets` leaves in `assets/dist`.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

const MISSING: &str =
    "the page's script and style sheet are not bundled: run `cargo xtask assets` (it needs Node.js)";

fn main() -> Result<(), Box<dyn Error>> {
    let dist = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("assets/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut source = String::new();
    for (constant, extension) in [("SCRIPT", "js"), ("STYLE_SHEET", "css")] {
        let Some(file) = bundle(&dist, extension) else {
            println!("cargo::error={MISSING}");
            return Ok(());
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        writeln!(
            source,
            "/// Bundled by `cargo xtask assets`.\npub const {constant}: Asset = Asset {{ name: {name:?}, \
             plain: include_bytes!({0:?}), gzip: include_bytes!(concat!({0:?}, \".gz\")) }};",
            file.display()
        )?;
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("bundles.rs"), source)?;
    Ok(())
}

/// The one file of `dist` with this extension.
fn bundle(dist: &Path, extension: &str) -> Option<PathBuf> {
    let mut files = fs::read_dir(dist).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files.find(|path| path.extension().is_some_and(|found| found == extension))
}
