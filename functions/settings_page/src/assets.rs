//! The page's script and style sheet, embedded in the binary by `build.rs`.

/// A file that the page loads.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// File name, with a hash of the content: a changed file has another name, so browsers may keep each for good.
    pub name: &'static str,
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// The file as it is, not compressed.
    pub content: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/bundles.rs"));

/// The asset of this name; `None` for any other name, such as that of an earlier version.
pub fn find(name: &str) -> Option<Asset> {
    [SCRIPT, STYLE_SHEET].into_iter().find(|asset| asset.name == name)
}
