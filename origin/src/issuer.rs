//! The issuer of access tokens: a subject, a time and a fresh `jti` become a signed token, and a
//! token's text becomes a valid one again. It does not know who may log in, nor what is revoked.

mod verified;

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use shared::{
    ACCESS_TOKEN_TYP, Claims, LEEWAY_SECS, NativeVerifier, SessionId, SubjectId, TokenError,
    TokenId, UnixSeconds, UnverifiedToken, ValidToken, ValidationPolicy,
};

use self::verified::VerifiedTokens;
use crate::config::Config;
use crate::error::ApiError;
use crate::keys::KeyRing;
use crate::random;
use crate::store::users::User;

/// Whom a token is for, through which client, and for what.
#[derive(Debug)]
pub struct Grant<'a> {
    pub holder: Holder<'a>,
    pub client_id: &'a str,
    pub scope: &'a str,
    /// No token outlives its session.
    pub ends_at: Option<UnixSeconds>,
}

#[derive(Debug, Clone, Copy)]
pub enum Holder<'a> {
    User {
        user: &'a User,
        sid: &'a str,
        auth_time: UnixSeconds,
    },
    /// The client itself (RFC 6749, section 4.4). Nobody logged in and no session goes on, but
    /// edges ask for a `sid`: the token is the only one of a session that bears its own name.
    Client,
}

/// Which keys sign and verify changes while it runs; everything else is as configured.
#[derive(Debug)]
pub struct Issuer {
    name: String,
    audience: String,
    lifetime_secs: u64,
    keys: RwLock<Arc<KeyRing>>,
    verified: VerifiedTokens,
}

impl Issuer {
    #[must_use]
    pub fn new(config: &Config, keys: KeyRing) -> Self {
        Self {
            name: config.tokens.issuer.clone(),
            audience: config.tokens.audience.clone(),
            lifetime_secs: config.tokens.access_token_secs,
            keys: RwLock::new(Arc::new(keys)),
            verified: VerifiedTokens::default(),
        }
    }

    /// The token keys as this replica saw them last.
    #[must_use]
    pub fn ring(&self) -> Arc<KeyRing> {
        // A panic elsewhere leaves the ring as it was: it is replaced as a whole.
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&keys)
    }

    pub fn take_ring(&self, ring: KeyRing) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn lifetime_secs(&self) -> u64 {
        self.lifetime_secs
    }

    /// The public half, as published (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.ring().jwks()
    }

    /// Seconds from `now` that a token of this grant lives.
    #[must_use]
    pub fn expires_in(&self, grant: &Grant<'_>, now: UnixSeconds) -> u64 {
        let left_secs = grant
            .ends_at
            .map(|end| end.as_secs().saturating_sub(now.as_secs()));
        left_secs.map_or(self.lifetime_secs, |left| left.min(self.lifetime_secs))
    }

    /// Whole seconds only: a cut-off is one, and must fall between two tokens, never inside one.
    pub fn issue(&self, grant: &Grant<'_>, now: UnixSeconds) -> Result<String, ApiError> {
        let claims = self.claims(grant, UnixSeconds::from_secs(now.as_secs()))?;
        self.ring()
            .signer(now)
            .ok_or(ApiError::NoSigningKey)?
            .sign(ACCESS_TOKEN_TYP, &claims.to_json())
            .map_err(|_| ApiError::Internal("a token could not be signed"))
    }

    fn claims(&self, grant: &Grant<'_>, iat: UnixSeconds) -> Result<Claims, ApiError> {
        let jti = random::new_id()?;
        let (sub, sid) = match grant.holder {
            Holder::User { user, sid, .. } => (user.id.as_str(), sid),
            Holder::Client => (grant.client_id, jti.as_str()),
        };
        let (user, auth_time) = match grant.holder {
            Holder::User {
                user, auth_time, ..
            } => (Some(user), Some(auth_time)),
            Holder::Client => (None, None),
        };
        Ok(Claims {
            iss: self.name.clone(),
            sub: SubjectId::parse(sub).map_err(|_| BAD_ID)?,
            aud: vec![self.audience.clone()],
            exp: iat.plus_secs(self.expires_in(grant, iat)),
            nbf: None,
            iat,
            sid: Some(SessionId::parse(sid).map_err(|_| BAD_ID)?),
            jti: TokenId::parse(&jti).map_err(|_| BAD_ID)?,
            client_id: Some(grant.client_id.to_owned()),
            scope: Some(grant.scope.to_owned()),
            roles: user.map_or_else(Vec::new, |user| user.roles.clone()),
            email: user.map(|user| user.email.clone()),
            email_verified: user.map(|user| user.email_verified_at.is_some()),
            auth_time: auth_time.map(|at| UnixSeconds::from_secs(at.as_secs())),
        })
    }

    /// Genuine and alive; whether it was revoked is another question.
    pub async fn verify(
        &self,
        text: &str,
        now: UnixSeconds,
    ) -> Result<Arc<ValidToken>, TokenError> {
        let ring = self.ring();
        let policy = self.policy(&ring);
        if let Some(known) = self.verified.find(text, ring.key_set()) {
            known.validate_again(&policy, now)?;
            return Ok(known);
        }
        let valid = UnverifiedToken::parse(text)?
            .verify_signature(ring.key_set(), &NativeVerifier)
            .await?
            .validate(&policy, now)?;
        let valid = Arc::new(valid);
        self.verified.insert(text, Arc::clone(&valid));
        Ok(valid)
    }

    fn policy(&self, ring: &KeyRing) -> ValidationPolicy {
        ValidationPolicy {
            issuer: self.name.clone(),
            audience: self.audience.clone(),
            typ: ACCESS_TOKEN_TYP.to_owned(),
            algorithms: ring.algorithms(),
            leeway_secs: LEEWAY_SECS,
            max_lifetime_secs: self.lifetime_secs,
            require_session: true,
        }
    }
}

const BAD_ID: ApiError = ApiError::Internal("an identifier of ours is not one");
