//! The private token keys that this replica holds: all those of a setting, or all those in the data
//! folder, where new ones can be made. Which of them signs is not its business.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::ExposeSecret;
use shared::Algorithm;

use super::{KeyFileError, KeysError, SigningKey, key_file};
use crate::config::Config;

const VARIABLE: &str = "PORTCULLIS_SIGNING_KEY";
const FILE_PREFIX: &str = "token-key-";
const FILE_SUFFIX: &str = ".pem";

#[derive(Debug)]
pub struct HeldKeys {
    source: KeySource,
    /// Those of the setting in its order; those of the folder by file name.
    keys: RwLock<Vec<Arc<SigningKey>>>,
}

/// Where private keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// Only a restart with another setting brings another key.
    Setting,
    Folder(PathBuf),
}

impl HeldKeys {
    /// `None` where the folder has none of the configured algorithm.
    pub(super) fn load(config: &Config) -> Result<Option<Self>, KeysError> {
        let held = Self::load_any(config)?;
        let algorithm = config.keys.signing_algorithm;
        let has_one = held.all().iter().any(|key| key.algorithm == algorithm);
        Ok(has_one.then_some(held))
    }

    /// Makes a first key where the folder has none of the configured algorithm.
    pub(super) fn load_or_create(config: &Config) -> Result<Self, KeysError> {
        if let Some(held) = Self::load(config)? {
            return Ok(held);
        }
        let algorithm = config.keys.signing_algorithm;
        let first = config.stores.data_dir.join(file_name(algorithm, None));
        key_file::load_or_create(algorithm, &first)?;
        Self::load_any(config)
    }

    fn load_any(config: &Config) -> Result<Self, KeysError> {
        let (source, keys) = if let Some(text) = &config.keys.signing_key {
            let keys = parse_setting(text.expose_secret(), config.keys.signing_algorithm)?;
            (KeySource::Setting, keys)
        } else {
            let folder = config.stores.data_dir.clone();
            let keys = read_folder(&folder)?;
            (KeySource::Folder(folder), keys)
        };
        let keys = RwLock::new(keys);
        Ok(Self { source, keys })
    }

    #[must_use]
    pub fn source(&self) -> &KeySource {
        &self.source
    }

    #[must_use]
    pub fn all(&self) -> Vec<Arc<SigningKey>> {
        // A panic elsewhere leaves the list as it was: it is replaced as a whole.
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    #[must_use]
    pub fn find(&self, kid: &str) -> Option<Arc<SigningKey>> {
        self.all().into_iter().find(|key| key.kid == kid)
    }

    /// Looks again: another process may have put a key there.
    pub fn look_again(&self) -> Result<(), KeyFileError> {
        if let KeySource::Folder(folder) = &self.source {
            let found = read_folder(folder)?;
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = found;
        }
        Ok(())
    }

    /// A new key, kept in the folder before anyone hears of it; `None` where keys are a setting.
    pub fn make(&self, algorithm: Algorithm) -> Result<Option<Arc<SigningKey>>, KeyFileError> {
        let KeySource::Folder(folder) = &self.source else {
            return Ok(None);
        };
        let key = key_file::create(algorithm, |kid| {
            folder.join(file_name(algorithm, Some(kid)))
        })?;
        self.look_again()?;
        Ok(Some(Arc::new(key)))
    }

    /// Removes the private half of a key that must never sign again, if it is in the folder.
    pub fn destroy(&self, kid: &str) -> Result<(), KeyFileError> {
        if let KeySource::Folder(folder) = &self.source {
            for path in key_paths(folder)? {
                if key_file::read(&path)?.is_some_and(|key| key.kid == kid) {
                    key_file::remove(&path)?;
                }
            }
        }
        self.look_again()
    }
}

/// One or more PEM blocks, the oldest key first; the newest is of the configured algorithm.
fn parse_setting(text: &str, algorithm: Algorithm) -> Result<Vec<Arc<SigningKey>>, KeysError> {
    let bad = |source| KeysError::BadSetting {
        variable: VARIABLE,
        algorithm,
        source,
    };
    let mut blocks = SigningKey::split_pem(text).map_err(bad)?;
    let newest = blocks.pop().ok_or(bad(super::SigningKeyError::NotPem))?;
    let mut keys = Vec::new();
    for block in blocks {
        keys.push(Arc::new(SigningKey::from_pem_of_any(&block).map_err(bad)?));
    }
    keys.push(Arc::new(
        SigningKey::from_pem(algorithm, &newest).map_err(bad)?,
    ));
    Ok(keys)
}

fn read_folder(folder: &std::path::Path) -> Result<Vec<Arc<SigningKey>>, KeyFileError> {
    let mut keys = Vec::new();
    for path in key_paths(folder)? {
        keys.extend(key_file::read(&path)?.map(Arc::new));
    }
    Ok(keys)
}

fn key_paths(folder: &std::path::Path) -> Result<Vec<PathBuf>, KeyFileError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(KeyFileError::Unreadable {
                path: folder.to_owned(),
                source,
            });
        }
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with(FILE_PREFIX) && name.ends_with(FILE_SUFFIX))
        })
        .collect();
    paths.sort();
    Ok(paths)
}

/// The first key of a folder needs no name of its own.
fn file_name(algorithm: Algorithm, kid: Option<&str>) -> String {
    let algorithm = algorithm.name().to_ascii_lowercase();
    let kid = kid.map(|kid| format!("-{kid}")).unwrap_or_default();
    format!("{FILE_PREFIX}{algorithm}{kid}{FILE_SUFFIX}")
}
