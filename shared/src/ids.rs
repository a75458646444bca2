//! The names that a token carries and a revocation uses: bounded, never empty, compared as bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::IdError;

/// The longest name in bytes.
const MAX_BYTES: usize = 255;

macro_rules! define_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes 1 to 255 bytes of UTF-8, as they are.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                match text.len() {
                    0 => Err(IdError::Empty),
                    1..=MAX_BYTES => Ok(Self(text.to_owned())),
                    _ => Err(IdError::TooLong),
                }
            }

            /// The name as it stands in the token.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

define_id! {
    /// `jti`: the one name of one token (RFC 7519, section 4.1.7).
    TokenId
}
define_id! {
    /// `sid`: the session that a token and its refresh tokens belong to.
    SessionId
}
define_id! {
    /// `sub`: whom the token speaks of (RFC 7519, section 4.1.2).
    SubjectId
}
define_id! {
    /// `kid`: which key of a set signed (RFC 7515, section 4.1.4).
    KeyId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_one_to_255_bytes() {
        assert_eq!(TokenId::parse(""), Err(IdError::Empty));
        assert!(TokenId::parse("a").is_ok());
        assert!(TokenId::parse(&"é".repeat(127)).is_ok());
        assert_eq!(TokenId::parse(&"é".repeat(128)), Err(IdError::TooLong));
    }
}
