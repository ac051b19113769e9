//! The API's URL, and addresses that it sends us to.

use std::net::IpAddr;
use std::str::FromStr;

use ureq::http::Uri;

/// The URL under which the API's paths are, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    is_plain: bool,
}

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri: Uri =
            text.trim().parse().map_err(|_| "is not a URL such as https://api.example.com".to_owned())?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if uri.query().is_some() || authority.contains('@') || text.contains('#') {
            return Err("must be without user name, query and fragment".to_owned());
        }
        let is_plain = match uri.scheme_str() {
            Some("https") => false,
            Some("http") if is_loopback(&uri) => true,
            Some("http") => {
                return Err("must begin with https://: over plain HTTP the API key could be read on the way"
                    .to_owned());
            }
            _ => return Err("must begin with https://".to_owned()),
        };
        Ok(Self { text: uri.to_string().trim_end_matches('/').to_owned(), is_plain })
    }
}

impl BaseUrl {
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// Whether the API is on this machine, without TLS: no proxy is between.
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// The address of a redirect, if it is as safe as this URL. A file with usage data does not travel unencrypted, and an API
    /// elsewhere has no business with servers on this machine.
    pub fn accept_redirect(&self, location: &str) -> Option<Uri> {
        let uri: Uri = location.parse().ok()?;
        let is_safe = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => self.is_plain && is_loopback(&uri),
            _ => false,
        };
        is_safe.then_some(uri)
    }
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_over_tls_or_stays_on_this_machine() {
        for url in [
            "https://api.example.com",
            "http://127.0.0.1:8080/",
            "http://[::1]:80",
            "http://localhost:1/api/v1/",
        ] {
            assert!(url.parse::<BaseUrl>().is_ok(), "{url}");
        }
        for url in [
            "http://api.example.com",
            "http://127.0.0.1@example.com",
            "http://localhost.example.com",
            "ftp://localhost",
            "api.example.com",
            "https://user:pw@example.com",
            "https://example.com/?a=b",
            "https://example.com/#a",
            "",
        ] {
            assert!(url.parse::<BaseUrl>().is_err(), "{url}");
        }
        let base: BaseUrl = "https://example.com/api/v1/".parse().unwrap();
        assert_eq!(base.join("/exports"), "https://example.com/api/v1/exports");
    }

    #[test]
    fn a_redirect_is_as_safe_as_the_api() {
        let remote: BaseUrl = "https://example.com".parse().unwrap();
        let local: BaseUrl = "http://127.0.0.1:8080".parse().unwrap();
        for (location, from_remote, from_local) in [
            ("https://bucket.example.com/key?X-Amz-Signature=1", true, true),
            ("http://127.0.0.1:4566/key", false, true),
            ("http://bucket.example.com/key", false, false),
            ("file:///etc/passwd", false, false),
            ("/relative", false, false),
        ] {
            assert_eq!(remote.accept_redirect(location).is_some(), from_remote, "{location}");
            assert_eq!(local.accept_redirect(location).is_some(), from_local, "{location}");
        }
    }
}
