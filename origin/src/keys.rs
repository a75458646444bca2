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

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use shared::Algorithm;

pub use held::{HeldKeys, KeySource};
pub use key_file::KeyFileError;
pub use ring::{KeyRing, algorithms};
pub use signing_key::{SigningError, SigningKey, SigningKeyError};

use crate::config::Config;

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

/// Loads the keys; makes those that neither the configuration nor the data folder has.
pub fn load_or_create(config: &Config) -> Result<Keys, KeysError> {
    let token = HeldKeys::load_or_create(config)?;
    let file = config.stores.data_dir.join("list-key.pem");
    let list = load(
        "PORTCULLIS_LIST_KEY",
        config.keys.list_key.as_ref(),
        Algorithm::EdDsa,
        &file,
    )?;
    if token.find(&list.kid).is_some() {
        return Err(KeysError::SameKeyTwice);
    }
    Ok(Keys { token, list })
}

fn load(
    variable: &'static str,
    setting: Option<&SecretString>,
    algorithm: Algorithm,
    file: &Path,
) -> Result<SigningKey, KeysError> {
    match setting {
        Some(pem) => SigningKey::from_pem(algorithm, pem.expose_secret()).map_err(|source| {
            KeysError::BadSetting {
                variable,
                algorithm,
                source,
            }
        }),
        None => Ok(key_file::load_or_create(algorithm, file)?),
    }
}
