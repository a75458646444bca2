//! Makes tokens: good ones from a draft, and bad ones from any bytes at all.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde::Serialize;

use crate::given::Given;
use crate::members::Members;
use crate::signatures::Signatures;
use crate::test_key::{ED25519, TestKey};

/// When every case happens, unless it says otherwise.
pub(crate) const NOW: u64 = 1_800_000_000;
/// The `exp` of a good token.
pub(crate) const EXP: u64 = NOW + 300;
/// The `iat` of a good token.
pub(crate) const IAT: u64 = NOW - 300;
/// The issuer that every policy names.
pub(crate) const ISSUER: &str = "https://issuer.example";
/// The audience that every policy names.
pub(crate) const AUDIENCE: &str = "https://api.example";

/// Base64url without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The signing input of a header and a payload.
pub(crate) fn signing_input(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    format!("{}.{}", encode(header), encode(payload))
}

/// Signs, and remembers what signing again would not repeat.
#[derive(Debug)]
pub(crate) struct Forge {
    known: Signatures,
    used: Signatures,
    /// Tokens and keys that were made elsewhere.
    pub(crate) given: Given,
}

impl Forge {
    /// A forge that signs again only what is not in `known`.
    pub(crate) fn new(known: Signatures) -> anyhow::Result<Self> {
        Ok(Self {
            known,
            used: Signatures::default(),
            given: Given::load()?,
        })
    }

    /// The signatures that were asked for and that could not be made again.
    pub(crate) fn into_signatures(self) -> Signatures {
        self.used
    }

    /// The raw signature of `key` over `input`.
    pub(crate) fn signature(&mut self, key: &TestKey, input: &str) -> anyhow::Result<Vec<u8>> {
        let input = input.as_bytes();
        if key.is_deterministic() {
            return key.sign(input);
        }
        let signature = match self.known.find(key, input) {
            Some(signature) => signature,
            None => key.sign(input)?,
        };
        self.used.insert(key, input, &signature);
        Ok(signature)
    }

    /// A token of any header and payload bytes, signed.
    pub(crate) fn sign(
        &mut self,
        key: &TestKey,
        header: impl AsRef<[u8]>,
        payload: impl AsRef<[u8]>,
    ) -> anyhow::Result<String> {
        let input = signing_input(header, payload);
        let signature = self.signature(key, &input)?;
        Ok(format!("{input}.{}", encode(signature)))
    }

    /// The token of a draft.
    pub(crate) fn forge(&mut self, draft: &Draft) -> anyhow::Result<String> {
        self.sign(&draft.key, draft.header.text(), draft.payload.text())
    }

    /// A good token of `key`.
    pub(crate) fn good(&mut self, key: TestKey) -> anyhow::Result<String> {
        self.forge(&Draft::of(key))
    }
}

/// An HS256 token of a draft's header and payload under any secret.
pub(crate) fn sign_with_secret(draft: &Draft, secret: &[u8]) -> anyhow::Result<String> {
    let input = draft.input();
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::HS256)?;
    Ok(format!("{input}.{signature}"))
}

/// A token before it is signed: a good one, until something is changed.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// Who signs it.
    pub(crate) key: TestKey,
    /// Its header.
    pub(crate) header: Members,
    /// Its claims.
    pub(crate) payload: Members,
}

impl Draft {
    /// A good token of the Ed25519 key.
    pub(crate) fn good() -> Self {
        Self::of(ED25519)
    }

    /// A good token of `key`.
    pub(crate) fn of(key: TestKey) -> Self {
        let header = Members::new()
            .with("alg", key.alg)
            .with("typ", "at+jwt")
            .with("kid", key.kid);
        let payload = Members::new()
            .with("iss", ISSUER)
            .with("sub", "user-1")
            .with("aud", AUDIENCE)
            .with("exp", EXP)
            .with("iat", IAT)
            .with("jti", "kD2y0pRfT7mQnB4vXwZ1sA")
            .with("sid", "Zt8uK3xWqL5nVbR2cYdE9g")
            .with("client_id", "web")
            .with("scope", "profile");
        Self {
            key,
            header,
            payload,
        }
    }

    /// Changes the header.
    pub(crate) fn header(mut self, change: impl FnOnce(Members) -> Members) -> Self {
        self.header = change(self.header);
        self
    }

    /// Changes the claims.
    pub(crate) fn payload(mut self, change: impl FnOnce(Members) -> Members) -> Self {
        self.payload = change(self.payload);
        self
    }

    /// Sets one header member.
    pub(crate) fn head(self, name: &str, value: impl Serialize) -> Self {
        self.header(|header| header.with(name, value))
    }

    /// Sets one claim.
    pub(crate) fn claim(self, name: &str, value: impl Serialize) -> Self {
        self.payload(|payload| payload.with(name, value))
    }

    /// The bytes to sign.
    pub(crate) fn input(&self) -> String {
        signing_input(self.header.text(), self.payload.text())
    }
}
