//! From a signed token to a valid one: is it an access token, from the right issuer, for us, now?
//! (RFC 7519, section 4.1; RFC 9068, section 4.) The only way to a [`ValidToken`].

use crate::algorithm::Algorithm;
use crate::claims::Claims;
use crate::error::TokenError;
use crate::jws::media_type_is;
use crate::revocation::Names;
use crate::time::UnixSeconds;
use crate::verify::SignedToken;

/// What is asked of a token of one issuer.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidationPolicy {
    /// The exact `iss`.
    pub issuer: String,
    /// The audience that `aud` must contain.
    pub audience: String,
    /// The header's `typ`, compared as a media type.
    pub typ: String,
    /// The algorithms that this issuer signs with.
    pub algorithms: Vec<Algorithm>,
    /// How far clocks may differ, in seconds.
    pub leeway_secs: u64,
    /// The longest `exp − iat`, in seconds: how long a revocation has to be kept rests on it.
    pub max_lifetime_secs: u64,
    /// Whether `sid` and `client_id` are required, as of our own issuer.
    pub require_session: bool,
}

/// A token that is genuine and valid. Whether it was revoked, the list knows.
#[derive(Clone, Debug)]
pub struct ValidToken {
    claims: Claims,
    names: Names,
    key_fingerprint: [u8; 32],
}

impl ValidToken {
    /// What the token says.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// What a revocation of it would name.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// [`crate::VerifyingKey::fingerprint`] of the key that signed.
    #[must_use]
    pub fn key_fingerprint(&self) -> [u8; 32] {
        self.key_fingerprint
    }

    /// What may have changed since the token was found valid: the time and the policy. For a
    /// token that is kept to save its signature check.
    pub fn validate_again(
        &self,
        policy: &ValidationPolicy,
        now: UnixSeconds,
    ) -> Result<(), TokenError> {
        validate_claims(&self.claims, policy)?;
        validate_times(&self.claims, policy, now)
    }
}

impl SignedToken {
    /// Holds the token against `policy` at the time `now`.
    pub fn validate(
        mut self,
        policy: &ValidationPolicy,
        now: UnixSeconds,
    ) -> Result<ValidToken, TokenError> {
        if !policy.algorithms.contains(&self.algorithm()) {
            return Err(TokenError::AlgorithmNotAllowed);
        }
        validate_typ(self.typ(), policy)?;
        let claims = self.take_claims()?;
        validate_claims(&claims, policy)?;
        validate_times(&claims, policy, now)?;
        Ok(ValidToken {
            names: Names::of(&claims),
            claims,
            key_fingerprint: self.key_fingerprint(),
        })
    }
}

fn validate_typ(typ: Option<&str>, policy: &ValidationPolicy) -> Result<(), TokenError> {
    let typ = typ.ok_or(TokenError::TypMissing)?;
    if media_type_is(typ, &policy.typ) {
        Ok(())
    } else {
        Err(TokenError::TypMismatch)
    }
}

fn validate_claims(claims: &Claims, policy: &ValidationPolicy) -> Result<(), TokenError> {
    if claims.iss != policy.issuer {
        return Err(TokenError::IssuerMismatch);
    }
    if !claims.aud.contains(&policy.audience) {
        return Err(TokenError::AudienceMismatch);
    }
    if policy.require_session && claims.sid.is_none() {
        return Err(TokenError::SessionIdMissing);
    }
    if policy.require_session && claims.client_id.is_none() {
        return Err(TokenError::ClientIdMissing);
    }
    Ok(())
}

/// Refused from `exp` plus the leeway on, and while `nbf` or `iat` is further ahead than the leeway: if
/// the future were allowed, a token could be dated past the next cut-off.
fn validate_times(
    claims: &Claims,
    policy: &ValidationPolicy,
    now: UnixSeconds,
) -> Result<(), TokenError> {
    let latest = now.plus_secs(policy.leeway_secs);
    if claims.exp < claims.iat {
        return Err(TokenError::ExpiresBeforeIssued);
    }
    if claims.exp > claims.iat.plus_secs(policy.max_lifetime_secs) {
        return Err(TokenError::LifetimeTooLong);
    }
    if now >= claims.exp.plus_secs(policy.leeway_secs) {
        return Err(TokenError::Expired);
    }
    if claims.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(TokenError::NotYetValid);
    }
    if claims.iat > latest {
        return Err(TokenError::IssuedInTheFuture);
    }
    Ok(())
}
