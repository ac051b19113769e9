//! Paths of the page.

/// Path of the page. Every other address of this function starts with it, but those of the API document.
pub const PAGE: &str = "/settings/organization/data_export";

/// Where the page of the API is, for everybody.
pub const API_PAGE: &str = "/docs";

/// Where the API document is, for everybody.
pub const API_DOCUMENT: &str = "/openapi.json";

/// Whether `target`, a path with or without a query, is an address of the page.
///
/// The sign-in form sends the browser only to such addresses, so that a link cannot use it to lead people to another
/// site.
pub fn is_of_page(target: &str) -> bool {
    let rest = target.strip_prefix(PAGE);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_other_sites_are_not_of_the_page() {
        for target in ["", "?again=1", "/exports/e1/download"] {
            assert!(is_of_page(&format!("{PAGE}{target}")), "{target}");
        }
        for target in [
            "https://evil.example",
            "//evil.example",
            "/",
            "/settings/organization/data_export.evil.example",
            "/settings/organization/data_export@evil.example",
            "/settings/organization/data_export?\r\nx: y",
        ] {
            assert!(!is_of_page(target), "{target}");
        }
    }
}
