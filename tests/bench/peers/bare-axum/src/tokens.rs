//! Access tokens by `jsonwebtoken`, `EdDSA` like the origin's, and the blacklist in Redis.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use redis::{AsyncTypedCommands as _, Pipeline};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::App;
use crate::failure::Failure;
use crate::sessions::User;

const ISSUER: &str = "http://peer.invalid";
const AUDIENCE: &str = "peer";
pub(crate) const ACCESS_TOKEN_SECS: u64 = 3600;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: String,
    pub(crate) sid: String,
    pub(crate) jti: String,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    pub(crate) email: String,
    pub(crate) roles: Vec<String>,
}

pub(crate) struct Keys {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
}

impl Keys {
    pub(crate) fn generate() -> anyhow::Result<Self> {
        let pair = Ed25519KeyPair::generate()?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Ok(Self {
            signing: EncodingKey::from_ed_der(pair.to_pkcs8v1()?.as_ref()),
            verifying: DecodingKey::from_ed_der(pair.public_key().as_ref()),
            validation,
        })
    }

    pub(crate) fn issue(&self, user: &User, sid: &str) -> anyhow::Result<String> {
        let now = now()?;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user.id.clone(),
            sid: sid.to_owned(),
            jti: random(16)?,
            iat: now,
            exp: now + ACCESS_TOKEN_SECS,
            email: user.email.clone(),
            roles: user.roles.split_whitespace().map(str::to_owned).collect(),
        };
        let header = Header::new(Algorithm::EdDSA);
        Ok(jsonwebtoken::encode(&header, &claims, &self.signing)?)
    }
}

/// The claims of a request's token.
impl FromRequestParts<App> for Claims {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let header = parts.headers.get(AUTHORIZATION).ok_or(Failure::Refused)?;
        let text = header.to_str().map_err(|_| Failure::Refused)?;
        let token = text.strip_prefix("Bearer ").ok_or(Failure::Refused)?;
        find_active(app, token).await?.ok_or(Failure::Refused)
    }
}

/// The claims of a token that is genuine, alive and not on the blacklist.
pub(crate) async fn find_active(app: &App, token: &str) -> anyhow::Result<Option<Claims>> {
    let Keys {
        verifying,
        validation,
        ..
    } = &*app.keys;
    let Ok(decoded) = jsonwebtoken::decode::<Claims>(token, verifying, validation) else {
        return Ok(None);
    };
    let claims = decoded.claims;
    let listed = app
        .redis
        .clone()
        .mget(&[
            format!("blacklist:{}", claims.jti),
            format!("session_blacklist:{}", claims.sid),
            format!("user_blacklist:{}", claims.sub),
        ])
        .await?;
    Ok(listed.iter().all(Option::is_none).then_some(claims))
}

pub(crate) async fn blacklist(app: &App, claims: &Claims) -> anyhow::Result<()> {
    let life_secs = claims.exp.saturating_sub(now()?).max(1);
    let mut pipe = Pipeline::new();
    pipe.set_ex(format!("blacklist:{}", claims.jti), 1, life_secs)
        .ignore()
        .set_ex(
            format!("session_blacklist:{}", claims.sid),
            1,
            ACCESS_TOKEN_SECS,
        )
        .ignore();
    Ok(pipe.query_async(&mut app.redis.clone()).await?)
}

pub(crate) fn random(bytes: usize) -> anyhow::Result<String> {
    let mut random = vec![0; bytes];
    aws_lc_rs::rand::fill(&mut random)?;
    Ok(BASE64URL.encode(random))
}

fn now() -> anyhow::Result<u64> {
    Ok(u64::try_from(OffsetDateTime::now_utc().unix_timestamp())?)
}
