//! The ways to a token that clients may be allowed (RFC 6749, section 1.3). A further one, such as
//! `authorization_code`, is one more variant here and one more arm in `routes::token`.

use crate::config::{Config, Switch};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantType {
    Password,
    RefreshToken,
    ClientCredentials,
}

impl GrantType {
    pub const ALL: [Self; 3] = [Self::Password, Self::RefreshToken, Self::ClientCredentials];

    /// As `grant_type` has it on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }

    /// What this origin offers at all, whatever its clients are allowed.
    pub fn offered(config: &Config) -> impl Iterator<Item = Self> {
        let password = config.passwords.grant;
        Self::ALL
            .into_iter()
            .filter(move |grant| *grant != Self::Password || password == Switch::On)
    }
}
