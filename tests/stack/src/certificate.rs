//! An authority of its own and a certificate for `localhost` that it signed, as a folder of PEM
//! files: what a server needs to speak TLS, and what a client needs to believe it.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

use anyhow::Context;
use nix::unistd::{Gid, Uid};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use crate::reaper;

/// The only name that the certificate is for.
const HOST: &str = "localhost";

#[derive(Debug)]
pub struct Certificate {
    folder: TempDir,
}

impl Certificate {
    pub fn generate() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("portcullis-certificate-")
            .tempdir()?;
        reaper::remove(folder.path())?;
        // A server that is run by another user has to get in.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711))?;
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority
            .distinguished_name
            .push(DnType::CommonName, "an authority for tests");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([HOST.to_owned()])?.signed_by(&key, &authority)?;
        let made = Self { folder };
        std::fs::write(made.authority(), authority.pem())?;
        std::fs::write(made.chain(), certificate.pem())?;
        std::fs::write(made.key(), key.serialize_pem())?;
        std::fs::set_permissions(made.key(), std::fs::Permissions::from_mode(0o600))?;
        Ok(made)
    }

    /// For clients.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// The host of a URL that the certificate is for.
    #[must_use]
    pub fn host(&self) -> &'static str {
        HOST
    }

    pub(crate) fn chain(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// Only its owner may read it.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    pub(crate) fn give_key_to(&self, owner: Option<(Uid, Gid)>) -> anyhow::Result<()> {
        let Some((user, group)) = owner else {
            return Ok(());
        };
        chown(self.key(), Some(user.as_raw()), Some(group.as_raw()))
            .context("cannot give the key away")
    }
}
