//! Live access tokens of one issuer that signs with three algorithms, as credentials to send.

use anyhow::Context;
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use hyper::header::HeaderValue;
use serde_json::{Value, json};
use shared::{Algorithm, Claims, Issuer, SessionId, SubjectId, TokenId, UnixSeconds};

use crate::bench::signer::Signer;

pub(super) const ISSUER: &str = "https://issuer.bench.invalid";
pub(super) const AUDIENCE: &str = "portcullis";
pub(super) const LIFETIME_SECS: u64 = 3600;
pub(super) const ALGORITHMS: [Algorithm; 3] =
    [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256];

#[derive(Debug)]
pub(super) struct Mint {
    signers: Vec<(Algorithm, Signer)>,
}

impl Mint {
    pub(super) fn open() -> anyhow::Result<Self> {
        let signers = ALGORITHMS
            .into_iter()
            .map(|algorithm| {
                let kid = format!("bench-{}", algorithm.name());
                Ok((algorithm, Signer::generate(algorithm, &kid)?))
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { signers })
    }

    pub(super) fn public_jwks(&self) -> Value {
        let keys: Vec<Value> = self
            .signers
            .iter()
            .map(|(_, signer)| signer.public_jwk())
            .collect();
        json!({ "keys": keys })
    }

    /// What a list says of this issuer.
    pub(super) fn trusted_issuer(&self) -> Issuer {
        Issuer {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            typ: "at+jwt".to_owned(),
            algs: ALGORITHMS.to_vec(),
            max_lifetime: LIFETIME_SECS,
            not_before: None,
            keys: self.public_jwks()["keys"].clone(),
        }
    }

    /// `count` tokens of as many users, each a value of `Authorization`.
    pub(super) fn issue(
        &self,
        algorithm: Algorithm,
        count: usize,
        now: UnixSeconds,
    ) -> anyhow::Result<Vec<HeaderValue>> {
        let (_, signer) = self
            .signers
            .iter()
            .find(|(known, _)| *known == algorithm)
            .context("a key for each algorithm")?;
        let issue_one = |_| {
            let token = signer.sign("at+jwt", &new_claims(now)?.to_json())?;
            Ok(HeaderValue::try_from(format!("Bearer {token}"))?)
        };
        (0..count).map(issue_one).collect()
    }
}

/// The claims that our origin puts into a user's token.
fn new_claims(now: UnixSeconds) -> anyhow::Result<Claims> {
    let iat = UnixSeconds::from_secs(now.as_secs());
    let subject = new_id()?;
    Ok(Claims {
        iss: ISSUER.to_owned(),
        email: Some(format!("{}@bench.invalid", &subject[..10])),
        sub: SubjectId::parse(&subject)?,
        aud: vec![AUDIENCE.to_owned()],
        exp: iat.plus_secs(LIFETIME_SECS),
        nbf: None,
        iat,
        jti: TokenId::parse(&new_id()?)?,
        sid: Some(SessionId::parse(&new_id()?)?),
        client_id: Some("portcullis".to_owned()),
        scope: Some("profile".to_owned()),
        roles: Vec::new(),
        email_verified: Some(true),
        auth_time: Some(iat),
    })
}

/// 128 random bits, as our origin names tokens and sessions.
fn new_id() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).ok().context("no random numbers")?;
    Ok(BASE64URL.encode(bytes))
}
