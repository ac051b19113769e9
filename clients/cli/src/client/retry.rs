//! Trying again: after broken connections, 429 and 5xx, later each time, and not before the server asks for it.

use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use ureq::Error as HttpError;

use crate::console::Console;
use crate::error::{Error, Kind};
use crate::text::Text;

/// How often something is tried. With the pauses between, about eight seconds: enough for a connection that breaks or a function
/// that is being deployed.
const MAX_TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// A server that asks for a longer pause than this is left alone: whoever waits wants to know.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(3);

/// Why something did not work, and whether trying again can help.
#[derive(Debug)]
pub struct Trouble {
    pub error: Error,
    passes: bool,
    /// How long the server asks to wait.
    retry_after: Option<Duration>,
    /// What to do if trying again does not help.
    advice: &'static str,
}

impl Trouble {
    pub fn lasting(error: Error) -> Self {
        Self { error, passes: false, retry_after: None, advice: "" }
    }

    pub fn passing(error: Error, retry_after_seconds: Option<u64>) -> Self {
        Self { error, passes: true, retry_after: retry_after_seconds.map(Duration::from_secs), advice: "" }
    }

    /// A request that got no answer. Nothing of its address is told, because that may be a signed one.
    pub fn of_connection(whom: &str, error: &HttpError) -> Self {
        let (passes, reason) = describe(error);
        let message = format!("{whom} cannot be reached: {reason}.");
        let advice = if is_of_certificates(error) {
            " If a proxy of your company signs certificates itself, name the file of its own in SSL_CERT_FILE."
        } else {
            " Check the URL and the network; where there is a proxy, HTTPS_PROXY names it."
        };
        Self { error: Error::new(Kind::Unavailable, message), passes, retry_after: None, advice }
    }
}

/// Whether rustls has refused a certificate, or other bytes.
fn is_of_certificates(error: &HttpError) -> bool {
    match error {
        HttpError::Io(error) => error.kind() == ErrorKind::InvalidData,
        error => matches!(error, HttpError::Rustls(_)),
    }
}

/// Whether trying again can help, and the reason in words.
fn describe(error: &HttpError) -> (bool, String) {
    match error {
        HttpError::Io(reason) => (!is_of_certificates(error), Text::from(reason.to_string()).to_string()),
        HttpError::Timeout(_) => (true, "it did not answer in time".to_owned()),
        HttpError::HostNotFound => (true, "there is no host of that name".to_owned()),
        HttpError::ConnectionFailed => (true, "the connection failed".to_owned()),
        HttpError::Protocol(_) => (true, "it does not answer as HTTP does".to_owned()),
        HttpError::Rustls(error) => (false, Text::from(error.to_string()).to_string()),
        HttpError::ConnectProxyFailed(_) | HttpError::InvalidProxyUrl => {
            (false, "the proxy refuses".to_owned())
        }
        _ => (false, "the request cannot be sent".to_owned()),
    }
}

/// Counts the failures.
pub struct Patience {
    failures: u32,
}

impl Patience {
    pub fn new() -> Self {
        Self { failures: 0 }
    }

    /// Something went well: count from the beginning.
    pub fn restore(&mut self) {
        self.failures = 0;
    }

    /// Waits before the next try.
    ///
    /// # Errors
    ///
    /// Another try cannot help, or there were enough.
    pub fn rest(&mut self, trouble: Trouble, console: Console) -> Result<(), Error> {
        self.failures += 1;
        let asked = trouble.retry_after.unwrap_or_default();
        if !trouble.passes || self.failures >= MAX_TRIES || asked > MAX_RETRY_AFTER {
            let mut error = trouble.error;
            error.message += trouble.advice;
            return Err(error);
        }
        let pause = asked.max(self.pause(fastrand::f64()));
        console.note(&format!("{} Trying again in {:.1} s.", trouble.error.message, pause.as_secs_f64()));
        thread::sleep(pause);
        Ok(())
    }

    /// Twice as long after each failure, and up to half of it less, so that many clients do not come back at the same time.
    fn pause(&self, random: f64) -> Duration {
        let full = FIRST_PAUSE * 2_u32.pow(self.failures.saturating_sub(1));
        full.mul_f64(1.0 - random / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow() {
        let pause = |failures, random| Patience { failures }.pause(random).as_millis();
        assert_eq!([pause(1, 0.0), pause(2, 0.0), pause(4, 0.0)], [500, 1000, 4000]);
        assert_eq!(pause(2, 1.0), 500);
    }

    #[test]
    fn what_lasts_is_not_tried_again() {
        let console = Console { json: true };
        let error = || Error::new(Kind::Unavailable, "");
        assert!(Patience::new().rest(Trouble::lasting(error()), console).is_err());
        assert!(Patience::new().rest(Trouble::passing(error(), Some(100_000)), console).is_err());
        assert!(Patience { failures: MAX_TRIES }.rest(Trouble::passing(error(), None), console).is_err());
    }

    #[test]
    fn an_address_is_not_in_an_error() {
        let trouble = Trouble::of_connection(
            "X",
            &HttpError::BadUri("https://secret.example/?X-Amz-Signature=1".to_owned()),
        );
        assert!(!trouble.error.message.contains("secret"), "{trouble:?}");
    }
}
