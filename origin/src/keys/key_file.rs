//! A private key in a file of its own, readable by its owner only. Two processes that start at the
//! same time on one folder end with the same key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use shared::Algorithm;

use super::{SigningKey, SigningKeyError};
use crate::private_file::{self, OthersMay};

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("the key file {} cannot be read (PORTCULLIS_DATA_DIR)", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the key file {} cannot be written (PORTCULLIS_DATA_DIR)", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error(
        "others than the owner may write to the key file {file}, so the key may be theirs; if it is \
         yours: chmod 600 {file}", file = path.display()
    )]
    WritableByOthers { path: PathBuf },
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
            Self::WritableByOthers { .. } => "key_file_writable_by_others",
            Self::BadKey { .. } => "key_file_bad",
        }
    }
}

/// `None` where there is no such file.
pub(super) fn load(algorithm: Algorithm, path: &Path) -> Result<Option<SigningKey>, KeyFileError> {
    find(path, |pem| SigningKey::from_pem(algorithm, pem))
}

pub(super) fn load_or_create(
    algorithm: Algorithm,
    path: &Path,
) -> Result<SigningKey, KeyFileError> {
    match load(algorithm, path)? {
        Some(key) => Ok(key),
        None => create(algorithm, |_| path.to_owned()),
    }
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
    let found = load(algorithm, &path)?;
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
    let unreadable = |source| KeyFileError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let pem = match fs::read_to_string(path) {
        Ok(pem) => pem,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    check_others(
        path,
        private_file::what_others_may(path).map_err(unreadable)?,
    )?;
    let key = parse(&pem).map_err(|source| KeyFileError::BadKey {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(key))
}

/// Whoever may write can put a key of their own in its place. Reading gets a warning and not an
/// error: some platforms mount secrets with wider modes, by design.
fn check_others(path: &Path, others: OthersMay) -> Result<(), KeyFileError> {
    match others {
        OthersMay::Nothing => Ok(()),
        OthersMay::Read => {
            tracing::warn!(key_file = %path.display(), "others than the owner may read this key file");
            Ok(())
        }
        OthersMay::Write => Err(KeyFileError::WritableByOthers {
            path: path.to_owned(),
        }),
    }
}
