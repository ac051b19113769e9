//! Writes `bundles.rs`, which embeds the script and the style sheet of `assets/dist`. `cargo xtask assets` bundles them.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

const MISSING: &str =
    "the page's script and style sheet are not bundled: run `cargo xtask assets` (it needs Node.js)";

/// Name of the constant in `bundles.rs`, extension of the bundle, and its `Content-Type`.
const BUNDLES: [(&str, &str, &str); 2] =
    [("SCRIPT", "js", "text/javascript; charset=utf-8"), ("STYLE_SHEET", "css", "text/css; charset=utf-8")];

fn main() -> Result<(), Box<dyn Error>> {
    let dist = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("assets/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut source = String::new();
    for (constant, extension, content_type) in BUNDLES {
        let Some(file) = bundle(&dist, extension) else {
            println!("cargo::error={MISSING}");
            return Ok(());
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        writeln!(
            source,
            "/// The only `.{extension}` file of `assets/dist`.\npub const {constant}: Asset = Asset {{ \
             name: {name:?}, content_type: {content_type:?}, content: include_bytes!({:?}) }};",
            file.display()
        )?;
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("bundles.rs"), source)?;
    Ok(())
}

/// The file of `dist` with this extension; `None` if the assets were not bundled. The bundler leaves one of each.
fn bundle(dist: &Path, extension: &str) -> Option<PathBuf> {
    let mut files = fs::read_dir(dist).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files.find(|path| path.extension().is_some_and(|found| found == extension))
}
