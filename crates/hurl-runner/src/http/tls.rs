//! TLS with the provider of the AWS SDK, so that a binary has one.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion};

use super::certificate::Certificate;

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TlsVersion {
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

impl TlsVersion {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "1.0" => Self::Tls10,
            "1.1" => Self::Tls11,
            "1.2" => Self::Tls12,
            "1.3" => Self::Tls13,
            _ => return None,
        })
    }
}

/// How a server is verified and what it is shown.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct TlsOptions {
    pub(crate) insecure: bool,
    /// Certificates of authorities in PEM, in place of those of the system.
    pub(crate) authorities: Option<Vec<u8>>,
    /// A certificate chain in PEM, which may hold the key too.
    pub(crate) certificate: Option<Vec<u8>>,
    /// A private key in PEM.
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) min: Option<TlsVersion>,
    pub(crate) max: Option<TlsVersion>,
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(aws_lc_rs::default_provider())))
}

/// The authorities of the system. A run without any fails when it verifies, not when it starts.
fn system_authorities() -> Arc<RootCertStore> {
    static AUTHORITIES: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    Arc::clone(AUTHORITIES.get_or_init(|| {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(store)
    }))
}

/// The configuration for a connection that offers the protocols `alpn`.
pub(crate) fn config(options: &TlsOptions, alpn: &[&str]) -> Result<Arc<ClientConfig>, String> {
    let versions = versions(options.min, options.max)?;
    let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(&versions);
    let builder = builder.map_err(|error| error.to_string())?;
    let verifier: Arc<dyn ServerCertVerifier> = if options.insecure {
        Arc::new(NoVerification)
    } else {
        let authorities = match &options.authorities {
            Some(pem) => Arc::new(authorities(pem)?),
            None => system_authorities(),
        };
        if authorities.is_empty() {
            return Err("no certificate authorities were found on this system".to_owned());
        }
        let trusted = options.authorities.as_deref().map(certificates).transpose()?.unwrap_or_default();
        let by_chain = WebPkiServerVerifier::builder_with_provider(authorities, provider()).build();
        Arc::new(Verification { by_chain: by_chain.map_err(|error| error.to_string())?, trusted })
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match &options.certificate {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let chain = certificates(pem)?;
            let key = PrivateKeyDer::from_pem_slice(options.key.as_deref().unwrap_or(pem));
            let key = key.map_err(|error| format!("the private key can not be read: {error}"))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| error.to_string())?
        }
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Ok(Arc::new(config))
}

fn versions(
    min: Option<TlsVersion>,
    max: Option<TlsVersion>,
) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let is_wanted = |version| min.is_none_or(|min| version >= min) && max.is_none_or(|max| version <= max);
    let known = [(TlsVersion::Tls13, &rustls::version::TLS13), (TlsVersion::Tls12, &rustls::version::TLS12)];
    let versions: Vec<_> =
        known.into_iter().filter(|(version, _)| is_wanted(*version)).map(|(_, known)| known).collect();
    if versions.is_empty() { Err("only TLS 1.2 and TLS 1.3 are supported".to_owned()) } else { Ok(versions) }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| format!("the certificate can not be read: {error}"))?;
    if certificates.is_empty() { Err("the file holds no certificate".to_owned()) } else { Ok(certificates) }
}

fn authorities(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(pem)? {
        store.add(certificate).map_err(|error| format!("the certificate authority can not be used: {error}"))?;
    }
    Ok(store)
}

/// Accepts a certificate whose chain ends at an authority, and, as OpenSSL does, one that is itself among the
/// certificates of the option `cacert`: a self-signed certificate of a staging server is often trusted that way.
#[derive(Debug)]
struct Verification {
    by_chain: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
}

impl Verification {
    fn is_trusted(&self, certificate: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> bool {
        let is_current = Certificate::parse(certificate).is_some_and(|parsed| {
            let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
            parsed.start_date.timestamp() <= now && now <= parsed.expire_date.timestamp()
        });
        let has_name =
            ParsedCertificate::try_from(certificate).is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok());
        is_current && has_name && self.trusted.iter().any(|trusted| trusted == certificate)
    }
}

impl ServerCertVerifier for Verification {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.by_chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(_) if self.is_trusted(end_entity, server_name, now) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.by_chain.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.by_chain.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_chain.supported_verify_schemes()
    }
}

/// Accepts every certificate, for the option `insecure`. Signatures of the handshake are still verified.
#[derive(Debug)]
struct NoVerification;

impl ServerCertVerifier for NoVerification {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
