//! By which names a token can be revoked, hashed when it was found valid: a token that is seen again
//! is looked up without hashing.

use crate::claims::Claims;
use crate::revocation::entry::{Fingerprint, Scope};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    pub(crate) token: Fingerprint,
    pub(crate) session: Option<Fingerprint>,
    pub(crate) user: Fingerprint,
}

impl Names {
    pub(crate) fn of(claims: &Claims) -> Self {
        let name = |scope, name: &str| Fingerprint::of(scope, &claims.iss, name);
        Self {
            token: name(Scope::Token, claims.jti.as_str()),
            session: claims
                .sid
                .as_ref()
                .map(|sid| name(Scope::Session, sid.as_str())),
            user: name(Scope::User, claims.sub.as_str()),
        }
    }
}
