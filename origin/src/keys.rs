//! The signing keys of an origin: those for tokens, and the one for lists. They are given by
//! configuration or made in the data folder. What is signed with them is not known here.

pub mod follow;
mod held;
mod key_file;
mod ring;
pub mod rotation;
mod signing_key;
#[cfg(test)]
mod tests;
pub mod turn;

use std::path::PathBuf;

use secrecy::ExposeSecret;
use shared::Algorithm;

pub use held::{HeldKeys, KeySource};
pub use key_file::KeyFileError;
pub use ring::{KeyRing, algorithms};
pub use signing_key::{SigningError, SigningKey, SigningKeyError};

use crate::config::Config;

const LIST_ALGORITHM: Algorithm = Algorithm::EdDsa;

/// The key of lists is never a key of tokens: a token can then not be made into a list, or the
/// other way round, by whoever gets one signature out of us.
#[derive(Debug)]
pub struct Keys {
    pub token: HeldKeys,
    pub list: SigningKey,
}

#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("{variable}: is not a PKCS#8 PEM private key for {}", algorithm.name())]
    BadSetting {
        variable: &'static str,
        algorithm: Algorithm,
        source: SigningKeyError,
    },
    #[error("PORTCULLIS_LIST_KEY: is the token key as well; the list needs a key of its own")]
    SameKeyTwice,
    #[error(transparent)]
    File(#[from] KeyFileError),
}

impl KeysError {
    /// One stable name for each kind of failure.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadSetting { .. } => "bad_key_setting",
            Self::SameKeyTwice => "token_key_is_list_key",
            Self::File(error) => error.code(),
        }
    }

    /// Whether what the operator set is at fault, not the machine.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::BadSetting { .. } | Self::SameKeyTwice)
    }
}

/// Loads the keys; `None` where neither the configuration nor the data folder has one of them.
pub fn load(config: &Config) -> Result<Option<Keys>, KeysError> {
    let token = HeldKeys::load(config)?;
    let list = load_list_key(config)?;
    token.zip(list).map(Keys::of).transpose()
}

/// Loads the keys; makes those that neither the configuration nor the data folder has.
pub fn load_or_create(config: &Config) -> Result<Keys, KeysError> {
    let token = HeldKeys::load_or_create(config)?;
    let list = match load_list_key(config)? {
        Some(key) => key,
        None => key_file::load_or_create(LIST_ALGORITHM, &list_key_file(config))?,
    };
    Keys::of((token, list))
}

impl Keys {
    fn of((token, list): (HeldKeys, SigningKey)) -> Result<Self, KeysError> {
        if token.find(&list.kid).is_some() {
            return Err(KeysError::SameKeyTwice);
        }
        Ok(Self { token, list })
    }
}

fn load_list_key(config: &Config) -> Result<Option<SigningKey>, KeysError> {
    let Some(pem) = &config.keys.list_key else {
        return Ok(key_file::load(LIST_ALGORITHM, &list_key_file(config))?);
    };
    let key = SigningKey::from_pem(LIST_ALGORITHM, pem.expose_secret());
    key.map(Some).map_err(|source| KeysError::BadSetting {
        variable: "PORTCULLIS_LIST_KEY",
        algorithm: LIST_ALGORITHM,
        source,
    })
}

fn list_key_file(config: &Config) -> PathBuf {
    config.stores.data_dir.join("list-key.pem")
}
