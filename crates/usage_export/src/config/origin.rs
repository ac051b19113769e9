//! An origin: the part of a web address in front of its path.

use std::fmt;
use std::str::FromStr;

use http::Uri;

/// A scheme, a host and possibly a port, such as `https://app.example.com`: what a path is appended to, and what a
/// browser sends as `Origin`.
///
/// Written as browsers write it: in lower case, without the scheme's own port and without a slash at the end. So
/// `https://App.example.com:443/` and `https://app.example.com` are the same origin.
///
/// ```
/// use usage_export::config::Origin;
/// let origin: Origin = "https://app.example.com/".parse()?;
/// assert_eq!(format!("{origin}/settings"), "https://app.example.com/settings");
/// assert!("https://app.example.com/settings".parse::<Origin>().is_err());
/// # Ok::<(), usage_export::config::InvalidOrigin>(())
/// ```
///
/// <https://www.rfc-editor.org/rfc/rfc6454#section-6.2>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

/// A text is no origin. The message says how one looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an origin such as https://app.example.com: http or https, a host, no path")]
pub struct InvalidOrigin;

impl Origin {
    /// The origin without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is reached over TLS.
    ///
    /// ```
    /// # use usage_export::config::Origin;
    /// assert!("https://app.example.com".parse::<Origin>()?.is_https());
    /// assert!(!"http://127.0.0.1:8080".parse::<Origin>()?.is_https());
    /// # Ok::<(), usage_export::config::InvalidOrigin>(())
    /// ```
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let uri: Uri = text.parse().map_err(|_| InvalidOrigin)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(InvalidOrigin);
        };
        let own_port = match scheme {
            "https" => 443,
            "http" => 80,
            _ => return Err(InvalidOrigin),
        };
        let has_more = uri.path() != "/" || uri.query().is_some() || text.contains('#');
        if has_more || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(InvalidOrigin);
        }
        let host = authority.host().to_ascii_lowercase();
        let port = authority.port_u16();
        if port.is_none() && authority.as_str().len() > host.len() {
            // A colon without a number, or with one that is not a port.
            return Err(InvalidOrigin);
        }
        let port = port.filter(|port| *port != own_port);
        Ok(Self(match port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_the_case_and_the_schemes_own_port_make_no_difference() {
        for (text, origin) in [
            ("https://x.example", "https://x.example"),
            ("https://x.example/", "https://x.example"),
            ("HTTPS://X.Example:443/", "https://x.example"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("http://localhost:80", "http://localhost"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(
                text.parse::<Origin>().map(|origin| origin.to_string()).as_deref(),
                Ok(origin),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "/",
            "x.example",
            "x.example:443",
            "//x.example",
            "ftp://x.example",
            "https://",
            "https:///",
            "https://x.example/settings",
            "https://x.example//",
            "https://x.example?a",
            "https://x.example/#a",
            "https://user@x.example",
            "https://x.example:",
            "https://x.example:99999",
            "https://x example",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(InvalidOrigin), "{text}");
        }
    }
}
