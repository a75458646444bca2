//! The keys of the corpus. They are published with it: nothing may ever trust them.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

use crate::members::Members;

/// A private key and the one algorithm that it signs with here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TestKey {
    /// Its `kid` in key sets and headers.
    pub(crate) kid: &'static str,
    /// The `alg` that its JWK is pinned to.
    pub(crate) alg: &'static str,
    algorithm: Algorithm,
    pem: &'static [u8],
}

macro_rules! test_keys {
    ($($name:ident = $kid:literal $alg:literal $algorithm:ident $pem:literal,)+) => {
        $(
            #[doc = concat!("Signs with ", $alg, ".")]
            pub(crate) const $name: TestKey = TestKey {
                kid: $kid,
                alg: $alg,
                algorithm: Algorithm::$algorithm,
                pem: include_bytes!(concat!("../keys/", $pem, ".pem")),
            };
        )+
    };
}

test_keys! {
    ED25519 = "ed" "EdDSA" EdDSA "ed25519",
    OTHER_ED25519 = "other-ed" "EdDSA" EdDSA "other-ed25519",
    LIST = "list" "EdDSA" EdDSA "list",
    ES256 = "es256" "ES256" ES256 "p256",
    OTHER_ES256 = "other-es256" "ES256" ES256 "other-p256",
    ES384 = "es384" "ES384" ES384 "p384",
    RS256 = "rs256" "RS256" RS256 "rsa",
    RS384 = "rs384" "RS384" RS384 "rsa",
    RS512 = "rs512" "RS512" RS512 "rsa",
    PS256 = "ps256" "PS256" PS256 "rsa",
    PS384 = "ps384" "PS384" PS384 "rsa",
    PS512 = "ps512" "PS512" PS512 "rsa",
    OTHER_RS256 = "other-rs256" "RS256" RS256 "other-rsa",
}

/// One key for each accepted algorithm.
pub(crate) const ONE_OF_EACH: [TestKey; 9] = [
    ED25519, ES256, ES384, RS256, RS384, RS512, PS256, PS384, PS512,
];

impl TestKey {
    /// The raw signature over `input`; other bytes each time for ECDSA and PSS.
    pub(crate) fn sign(&self, input: &[u8]) -> anyhow::Result<Vec<u8>> {
        let text = jsonwebtoken::crypto::sign(input, &self.encoding_key()?, self.algorithm)?;
        Ok(URL_SAFE_NO_PAD.decode(text)?)
    }

    /// Whether a second signature over the same bytes would be the same.
    pub(crate) fn is_deterministic(&self) -> bool {
        !matches!(self.alg, "ES256" | "ES384" | "PS256" | "PS384" | "PS512")
    }

    /// The public half as it stands in a key set, `alg` and `kid` included.
    pub(crate) fn jwk(&self) -> anyhow::Result<Members> {
        let public = Jwk::from_encoding_key(&self.encoding_key()?, self.algorithm)?;
        let public = serde_json::to_value(public)?;
        let mut jwk = Members::new();
        for name in ["kty", "crv", "n", "e", "x", "y"] {
            if let Some(value) = public.get(name) {
                jwk = jwk.with(name, value);
            }
        }
        Ok(jwk.with("alg", self.alg).with("kid", self.kid))
    }

    /// A public number of the key, as it stands in the JWK.
    pub(crate) fn jwk_text(&self, name: &str) -> anyhow::Result<String> {
        let jwk: Value = serde_json::from_str(&self.jwk()?.text())?;
        let text = jwk[name].as_str().context("a public number")?;
        Ok(text.to_owned())
    }

    /// A public number of the key, decoded.
    pub(crate) fn number(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        Ok(URL_SAFE_NO_PAD.decode(self.jwk_text(name)?)?)
    }

    /// The private key's PEM text.
    pub(crate) fn pem(&self) -> &'static [u8] {
        self.pem
    }

    fn encoding_key(&self) -> anyhow::Result<EncodingKey> {
        let read = match self.alg {
            "EdDSA" => EncodingKey::from_ed_pem,
            "ES256" | "ES384" => EncodingKey::from_ec_pem,
            _ => EncodingKey::from_rsa_pem,
        };
        Ok(read(self.pem)?)
    }
}
