//! Bundles the page's script and style sheet, and writes `bundles.rs`, which embeds them. It needs Node.js; npm fetches the
//! bundler, as `assets/package-lock.json` pins it.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const NEEDS: &str = "the page's script and style sheet are bundled with Node.js 18 or newer and its npm; on Debian and Ubuntu: \
                     apt-get install nodejs npm; elsewhere: https://nodejs.org";

/// What a bundle is made from, in `assets`.
const SOURCES: [&str; 7] =
    ["build.mjs", "package.json", "package-lock.json", "page.css", "page.js", "script", "style"];

/// Name of the constant in `bundles.rs`, extension of the bundle, and its `Content-Type`.
const BUNDLES: [(&str, &str, &str); 2] =
    [("SCRIPT", "js", "text/javascript; charset=utf-8"), ("STYLE_SHEET", "css", "text/css; charset=utf-8")];

fn main() -> Result<(), Box<dyn Error>> {
    let assets = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("assets");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", assets.join(source).display());
    }
    let dist = out.join("dist");
    if let Err(reason) = bundle(&assets, &dist) {
        println!("cargo::error={reason}");
        return Ok(());
    }
    let mut source = String::new();
    for (constant, extension, content_type) in BUNDLES {
        let file = file_of(&dist, extension)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        writeln!(
            source,
            "/// The bundle with the extension `{extension}`.\npub const {constant}: Asset = Asset {{ name: {name:?}, \
             content_type: {content_type:?}, content: include_bytes!({:?}) }};",
            file.display()
        )?;
    }
    fs::write(out.join("bundles.rs"), source)?;
    Ok(())
}

/// Has `build.mjs` write the bundles into `dist`, and npm fetch what it needs unless that is there.
fn bundle(assets: &Path, dist: &Path) -> Result<(), String> {
    if !is_installed(assets) {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(assets))?;
    }
    run(Command::new("node").arg("build.mjs").arg(dist).current_dir(assets))
}

/// Whether npm has fetched the packages since they were pinned. npm writes its own copy of the lock file last.
fn is_installed(assets: &Path) -> bool {
    let modified = |file: &str| fs::metadata(assets.join(file)).and_then(|file| file.modified());
    match (modified("node_modules/.package-lock.json"), modified("package-lock.json")) {
        (Ok(installed), Ok(pinned)) => installed >= pinned,
        _ => false,
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program} does not start ({error}): {NEEDS}"))?;
    if output.status.success() {
        return Ok(());
    }
    // An error of cargo's is one line.
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).split_whitespace().collect::<Vec<_>>().join(" ");
    Err(format!("{program} failed ({}): {printed}. {NEEDS}", output.status))
}

/// The file of `dist` with this extension; the bundler leaves one of each.
fn file_of(dist: &Path, extension: &str) -> Result<PathBuf, Box<dyn Error>> {
    let mut files = fs::read_dir(dist)?.filter_map(|entry| Some(entry.ok()?.path()));
    let found = files.find(|path| path.extension().is_some_and(|found| found == extension));
    found.ok_or_else(|| format!("the bundler wrote no .{extension} file").into())
}
