//! What is so, whatever anybody has heard of it: every token that was issued, every revocation that
//! was acknowledged, and by when each was promised to hold. Its rule of what a revocation covers is
//! written again here, and shares no line with the one it is held against.

use std::collections::BTreeSet;

use shared::{Scope, UnixSeconds};

#[derive(Debug, Clone)]
pub struct Token {
    pub text: String,
    /// The key that signed it.
    pub kid: String,
    pub jti: String,
    pub sid: String,
    pub user: usize,
    pub iat_secs: u64,
    pub exp: UnixSeconds,
}

#[derive(Debug)]
pub struct Revocation {
    /// Its place in the origin's table.
    pub row: usize,
    pub scope: Scope,
    /// `jti`, `sid`, `sub`, or the issuer.
    pub name: String,
    pub before_secs: Option<u64>,
    pub recorded_at: UnixSeconds,
    /// What the receipt said when it was recorded.
    pub effective_by: UnixSeconds,
}

#[derive(Debug)]
pub struct RevokedKey {
    pub kid: String,
    pub recorded_at: UnixSeconds,
    pub effective_by: UnixSeconds,
}

#[derive(Debug, Default)]
pub struct Truth {
    pub tokens: Vec<Token>,
    pub revocations: Vec<Revocation>,
    pub revoked_keys: Vec<RevokedKey>,
    /// Keys that signed before every edge had them, since another had leaked.
    pub hurried_keys: BTreeSet<String>,
}

impl Truth {
    #[must_use]
    pub fn find_token(&self, number: usize) -> Option<&Token> {
        let count = self.tokens.len();
        self.tokens.get(number.checked_rem(count)?)
    }

    #[must_use]
    pub fn revoked_key_of(&self, token: &Token) -> Option<&RevokedKey> {
        self.revoked_keys.iter().find(|key| key.kid == token.kid)
    }

    pub fn revocations_of(&self, token: &Token) -> impl Iterator<Item = &Revocation> {
        self.revocations
            .iter()
            .filter(|revocation| revocation.covers(token))
    }
}

impl Revocation {
    fn covers(&self, token: &Token) -> bool {
        let is_named = match self.scope {
            Scope::Token => self.name == token.jti,
            Scope::Session => self.name == token.sid,
            Scope::User => self.name == subject(token.user),
            Scope::Issuer => true,
        };
        is_named && self.before_secs.is_none_or(|secs| token.iat_secs < secs)
    }
}

#[must_use]
pub fn subject(user: usize) -> String {
    format!("user-{user}")
}
