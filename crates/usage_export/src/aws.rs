//! How the functions reach AWS: one configuration and one HTTP client for all services, and Amazon's root certificates.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::config::{ConfigError, optional};

/// The root certificates of Amazon, which sign the certificates of AWS endpoints. The system's store has some 140 roots,
/// and all of them would be parsed before the first call.
/// `docs/adr/0012-amazons-roots-are-bundled.md` says more.
/// <https://www.amazontrust.com/repository/>
const AMAZON_ROOTS: &[u8] = include_bytes!("aws/amazon_roots.pem");

/// The variable that names a file of root certificates to trust instead; every AWS SDK has it under this name.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html>
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// Makes the configuration that all clients of a function share. `attempt_timeout` is how long one attempt of a call may
/// take before the SDK makes the next; the SDK has no such limit by default.
/// <https://docs.aws.amazon.com/sdk-for-rust/latest/dg/timeouts.html>
///
/// # Errors
///
/// `AWS_CA_BUNDLE` is set and does not name a file of certificates in PEM.
pub async fn config(attempt_timeout: Duration) -> Result<SdkConfig, ConfigError> {
    let trusted = TrustStore::empty().with_pem_certificate(trusted_roots()?);
    let tls = TlsContext::builder().with_trust_store(trusted).build().map_err(|error| malformed(&error))?;
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(tls)
        .build_https();
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(attempt_timeout).build();
    let aws = aws_config::defaults(BehaviorVersion::latest()).http_client(http).timeout_config(timeouts);
    Ok(aws.load().await)
}

/// The trusted root certificates, in PEM.
fn trusted_roots() -> Result<Vec<u8>, ConfigError> {
    let Some(path) = optional(CA_BUNDLE)? else { return Ok(AMAZON_ROOTS.to_vec()) };
    let bundle = std::fs::read(&path).map_err(|error| malformed(&format!("{path}: {error}")))?;
    check(&bundle).map_err(|reason| malformed(&format!("{path}: {reason}")))?;
    Ok(bundle)
}

/// Makes sure that a bundle has certificates: the SDK accepts anything and then trusts nothing.
fn check(bundle: &[u8]) -> Result<(), String> {
    let certificates = CertificateDer::pem_slice_iter(bundle).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err("there is no certificate in it".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn malformed(reason: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::Malformed { name: CA_BUNDLE, reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_roots_have_the_fingerprints_written_beside_them() {
        let roots: Vec<_> = CertificateDer::pem_slice_iter(AMAZON_ROOTS).map(Result::unwrap).collect();
        let text = std::str::from_utf8(AMAZON_ROOTS).unwrap();
        let written: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("SHA-256 ")).collect();
        assert_eq!((roots.len(), written.len()), (5, 5));
        for (root, written) in roots.iter().zip(written) {
            assert!(written.starts_with(&hex::encode(Sha256::digest(root))), "{written}");
        }
    }

    #[test]
    fn a_bundle_without_certificates_is_refused() {
        assert!(check(AMAZON_ROOTS).is_ok());
        assert!(check(b"").is_err());
        assert!(check(b"-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n").is_err());
    }
}
