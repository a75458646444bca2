//! Where Redis is, and whose certificate is believed there: by `rediss:` the server is verified
//! against the machine's authorities, or against those of one file. It makes clients, and says of a
//! failed handshake what was wrong; what lies in Redis it does not know.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use pem::Pem;
use redis::{Client, ConnectionAddr, RedisError, TlsCertificates};
use rustls::{CertificateError, RootCertStore};
use secrecy::{ExposeSecret, SecretString};

/// Cheap to clone. Nothing is connected before a client is asked to.
#[derive(Clone)]
pub struct RedisServer {
    client: Client,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum RedisServerError {
    #[error("is not a redis: or rediss: URL")]
    BadUrl,
    #[error("asks for no verification of the server (#insecure), which is not offered")]
    Unverified,
    #[error("is set, but REDIS_URL does not begin with rediss:")]
    AuthoritiesWithoutTls,
    #[error("cannot be read: {0}")]
    UnreadableAuthorities(io::Error),
    #[error("has no certificate that can be used, in PEM")]
    NoAuthorities,
    #[error(
        "asks for TLS, and this machine knows no certificate authority; name one in PORTCULLIS_REDIS_CA_FILE"
    )]
    NoMachineAuthorities,
}

/// What is wrong with the certificate that a server showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mistrust {
    #[error(
        "nobody who is trusted here signed its certificate; name the authority in PORTCULLIS_REDIS_CA_FILE"
    )]
    UnknownAuthority,
    #[error("its certificate is for another name than the host in REDIS_URL")]
    OtherName,
    #[error("its certificate is not valid at this time")]
    NotNow,
    #[error("its certificate cannot be used")]
    Unusable,
}

impl Mistrust {
    /// What to do about it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::UnknownAuthority => {
                "give its authority's certificate in PORTCULLIS_REDIS_CA_FILE"
            }
            Self::OtherName => "name it in REDIS_URL as its certificate does",
            Self::NotNow => "renew its certificate, or set this machine's clock",
            Self::Unusable => "give it another certificate",
        }
    }

    /// What of the failure was the certificate's; `None`: nothing.
    #[must_use]
    pub fn behind(error: &RedisError) -> Option<Self> {
        match find_tls_error(error)? {
            rustls::Error::InvalidCertificate(fault) => Some(Self::of(fault)),
            _ => None,
        }
    }

    fn of(fault: &CertificateError) -> Self {
        match fault {
            CertificateError::UnknownIssuer => Self::UnknownAuthority,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::OtherName
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::NotNow,
            _ => Self::Unusable,
        }
    }

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownAuthority => "redis_authority_unknown",
            Self::OtherName => "redis_certificate_for_another_name",
            Self::NotNow => "redis_certificate_not_valid_now",
            Self::Unusable => "redis_certificate_unusable",
        }
    }
}

/// The client shares its cause, and an I/O error keeps its own in itself: neither is in the chain.
fn find_tls_error(error: &RedisError) -> Option<&rustls::Error> {
    let shared: &Arc<dyn Error + Send + Sync> = error.source()?.downcast_ref()?;
    let io: &io::Error = shared.downcast_ref()?;
    io.get_ref()?.downcast_ref()
}

impl RedisServerError {
    /// The setting that is wrong.
    #[must_use]
    pub fn variable(&self) -> &'static str {
        match self {
            Self::BadUrl | Self::Unverified | Self::NoMachineAuthorities => "REDIS_URL",
            Self::AuthoritiesWithoutTls | Self::UnreadableAuthorities(_) | Self::NoAuthorities => {
                "PORTCULLIS_REDIS_CA_FILE"
            }
        }
    }
}

impl RedisServer {
    /// `authorities`: a file of certificates in PEM that take the place of the machine's.
    pub fn new(url: &SecretString, authorities: Option<&Path>) -> Result<Self, RedisServerError> {
        let url = url.expose_secret();
        let client = Client::open(url).map_err(|_| RedisServerError::BadUrl)?;
        let is_encrypted = match client.get_connection_info().addr() {
            ConnectionAddr::TcpTls { insecure: true, .. } => {
                return Err(RedisServerError::Unverified);
            }
            ConnectionAddr::TcpTls { .. } => true,
            _ => false,
        };
        let pem = match (is_encrypted, authorities) {
            (false, None) => return Ok(Self { client }),
            (false, Some(_)) => return Err(RedisServerError::AuthoritiesWithoutTls),
            (true, Some(file)) => read_authorities(file)?,
            // Here, and not at each connection, as the client would do by itself.
            (true, None) => find_machine_authorities()?,
        };
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: Some(pem),
        };
        let client = Client::build_with_tls(url, certificates)
            .map_err(|_| RedisServerError::NoAuthorities)?;
        Ok(Self { client })
    }

    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }
}

fn read_authorities(file: &Path) -> Result<Vec<u8>, RedisServerError> {
    let pem = fs::read(file).map_err(RedisServerError::UnreadableAuthorities)?;
    if !pem::parse_many(&pem)
        .is_ok_and(|parts| parts.iter().any(|part| part.tag() == "CERTIFICATE"))
    {
        return Err(RedisServerError::NoAuthorities);
    }
    Ok(pem)
}

/// In PEM. One that cannot be used is left out: a machine has a hundred.
fn find_machine_authorities() -> Result<Vec<u8>, RedisServerError> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "not every certificate authority of this machine can be read");
    }
    let mut usable = RootCertStore::empty();
    let parts: Vec<Pem> = found
        .certs
        .into_iter()
        .filter(|certificate| usable.add(certificate.clone()).is_ok())
        .map(|certificate| Pem::new("CERTIFICATE", certificate.to_vec()))
        .collect();
    if parts.is_empty() {
        return Err(RedisServerError::NoMachineAuthorities);
    }
    Ok(pem::encode_many(&parts).into_bytes())
}

/// Host and port, never the password.
impl fmt::Display for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.client.get_connection_info().addr())
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisServer({self})")
    }
}
