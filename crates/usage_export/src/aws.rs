//! How the functions reach AWS: one configuration, one HTTP client, Amazon's root certificates.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::config::{ConfigError, optional};

/// Amazon's own roots, under which the endpoints of AWS are. The system's store has some 140, and all of them would be
/// read before the first call.
/// <https://www.amazontrust.com/repository/>
const AMAZON_ROOTS: &[u8] = include_bytes!("aws/amazon_roots.pem");

/// A file of certificates that are trusted instead, under the name that the AWS SDKs share.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html>
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// The configuration that all clients of a function share. `attempt` is how long one call may take before it is tried
/// again; the SDK by itself waits for ever.
///
/// # Errors
///
/// `AWS_CA_BUNDLE` names no file of certificates.
pub async fn config(attempt: Duration) -> Result<SdkConfig, ConfigError> {
    let trusted = TrustStore::empty().with_pem_certificate(trusted_roots()?);
    let tls = TlsContext::builder().with_trust_store(trusted).build().map_err(|error| malformed(&error))?;
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(tls)
        .build_https();
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(attempt).build();
    let aws = aws_config::defaults(BehaviorVersion::latest()).http_client(http).timeout_config(timeouts);
    Ok(aws.load().await)
}

/// Certificates in PEM.
fn trusted_roots() -> Result<Vec<u8>, ConfigError> {
    let Some(path) = optional(CA_BUNDLE)? else { return Ok(AMAZON_ROOTS.to_vec()) };
    let bundle = std::fs::read(&path).map_err(|error| malformed(&format!("{path}: {error}")))?;
    check(&bundle).map_err(|reason| malformed(&format!("{path}: {reason}")))?;
    Ok(bundle)
}

/// The SDK takes the certificates without a way to refuse them.
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
    fn the_roots_are_those_whose_fingerprints_are_written_beside_them() {
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
