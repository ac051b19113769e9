//! A certificate authority of our own, for the length of a benchmark.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Accepts TLS connections as 127.0.0.1. The certificate of the authority is written to `ca_file`.
///
/// # Errors
///
/// Fails if a certificate cannot be made or written.
pub fn acceptor(ca_file: &Path) -> Result<TlsAcceptor> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Benchmark");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate()?;
    std::fs::write(ca_file, authority.self_signed(&authority_key)?.pem())?;
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate()?;
    let mut server = CertificateParams::new(["127.0.0.1".to_owned()])?;
    server.use_authority_key_identifier_extension = true;
    let certificate = server.signed_by(&key, &issuer)?;
    // The provider is named, because the SDK brings another one along and so rustls has no default.
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?,
        )?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
