//! A private key in a file of its own, readable by its owner only. Two processes that start at the
//! same time on one folder end with the same key.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use shared::Algorithm;

use super::{SigningKey, SigningKeyError};
use crate::private_file;

const READABLE_BY_OTHERS: u32 = 0o077;

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("the key file {} cannot be read (PORTCULLIS_DATA_DIR)", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the key file {} cannot be written (PORTCULLIS_DATA_DIR)", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("the key file {} holds no usable key", path.display())]
    BadKey {
        path: PathBuf,
        source: SigningKeyError,
    },
}

impl KeyFileError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "key_file_unreadable",
            Self::Unwritable { .. } => "key_file_unwritable",
            Self::BadKey { .. } => "key_file_bad",
        }
    }
}

pub(super) fn load_or_create(
    algorithm: Algorithm,
    path: &Path,
) -> Result<SigningKey, KeyFileError> {
    if let Some(key) = find(path, |pem| SigningKey::from_pem(algorithm, pem))? {
        return Ok(key);
    }
    create(algorithm, |_| path.to_owned())
}

/// Makes a key and puts it where `path_of` says for its name.
pub(super) fn create(
    algorithm: Algorithm,
    path_of: impl FnOnce(&str) -> PathBuf,
) -> Result<SigningKey, KeyFileError> {
    let (key, pem) = SigningKey::generate(algorithm).map_err(|source| KeyFileError::BadKey {
        path: PathBuf::new(),
        source,
    })?;
    let path = path_of(&key.kid);
    private_file::create(&path, &pem).map_err(|source| KeyFileError::Unwritable {
        path: path.clone(),
        source,
    })?;
    // Read back what is there now: another process may have been first.
    let found = find(&path, |pem| SigningKey::from_pem(algorithm, pem))?;
    found.ok_or_else(|| KeyFileError::Unreadable {
        path,
        source: io::ErrorKind::NotFound.into(),
    })
}

/// A key of whichever algorithm it is; `None` where there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<SigningKey>, KeyFileError> {
    find(path, SigningKey::from_pem_of_any)
}

pub(super) fn remove(path: &Path) -> Result<(), KeyFileError> {
    fs::remove_file(path).map_err(|source| KeyFileError::Unwritable {
        path: path.to_owned(),
        source,
    })
}

fn find(
    path: &Path,
    parse: impl FnOnce(&str) -> Result<SigningKey, SigningKeyError>,
) -> Result<Option<SigningKey>, KeyFileError> {
    let pem = match fs::read_to_string(path) {
        Ok(pem) => pem,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(KeyFileError::Unreadable {
                path: path.to_owned(),
                source,
            });
        }
    };
    warn_if_readable_by_others(path);
    let key = parse(&pem).map_err(|source| KeyFileError::BadKey {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(key))
}

/// A warning and not an error: some platforms mount secrets with wider modes, by design.
fn warn_if_readable_by_others(path: &Path) {
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & READABLE_BY_OTHERS != 0 {
        tracing::warn!(key_file = %path.display(), "others than the owner may read this key file");
    }
}
