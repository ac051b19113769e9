//! `cargo xtask openapi`: writes the API document, which is made of the code.

use anyhow::{Context, Result};
use openapi::FILES;

use crate::paths;

/// Writes the document where it is kept.
///
/// # Errors
///
/// Fails if a file cannot be written.
pub fn openapi() -> Result<()> {
    let document = openapi::document();
    for (path, text) in FILES {
        let text = text(&document);
        std::fs::write(paths::root().join(path), &text)
            .with_context(|| format!("{path} cannot be written"))?;
        println!("{path}: {} bytes", text.len());
    }
    Ok(())
}
