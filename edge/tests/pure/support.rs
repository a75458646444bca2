//! An origin on paper: signs heads and tokens with fixed keys, for tests of the pure modules.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use shared::{
    Entry, KeySet, ListMessage, ListPins, NativeVerifier, RevocationList, Tail, UnixSeconds,
    UnverifiedToken, ValidToken, verify_now,
};

pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const AUDIENCE: &str = "portcullis";
/// When every list and token here is made, unless a test says otherwise.
pub(crate) const NOW: UnixSeconds = UnixSeconds::from_secs(1_800_000_000);

/// A key pair: PKCS#8 in base64, and `x` of the public half.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    private: &'static str,
    x: &'static str,
    pub(crate) kid: &'static str,
}

pub(crate) const LIST_KEY: Pair = Pair {
    private: "MC4CAQAwBQYDK2VwBCIEIONKoPoVoDtCB9qYzqSmz/U/XQY+YaYP/btIJxacFJU7",
    x: "ed_zNheOVxr7l5EUwno_pdUwgHIM6mPo1xlSWoAgDuI",
    kid: "list",
};
pub(crate) const TOKEN_KEY: Pair = Pair {
    private: "MC4CAQAwBQYDK2VwBCIEIHDVeicE4eF6wpMxs3/I9juIpo1XaSCruGBTv/UJ+Qd6",
    x: "os_9b91NUP3y9Zi1wEGhnRWjOJP57ozKPphNQkylf_o",
    kid: "token",
};
pub(crate) const STRANGER: Pair = Pair {
    private: "MC4CAQAwBQYDK2VwBCIEIF10TnBdIHOROdVl54Lp9LDstChiK94x4jBZr9/fpKgS",
    x: "AZJ9IfG8mpBmWXXp__dPHznD5HMDSZ1NlLw_lFxNJVs",
    kid: "stranger",
};

impl Pair {
    pub(crate) fn jwk(self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": self.x, "kid": self.kid, "alg": "EdDSA" })
    }

    pub(crate) fn sign(self, typ: &str, payload: &Value) -> String {
        let header = json!({ "alg": "EdDSA", "typ": typ, "kid": self.kid });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(&header), encode(payload));
        let key = EncodingKey::from_ed_der(&STANDARD.decode(self.private).unwrap());
        let signature =
            jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::EdDSA).unwrap();
        format!("{input}.{signature}")
    }
}

pub(crate) fn pins() -> ListPins {
    let jwks = json!({ "keys": [LIST_KEY.jwk()] });
    ListPins {
        issuer: ISSUER.to_owned(),
        keys: KeySet::from_value(&jwks).unwrap(),
    }
}

/// What goes into a list.
#[derive(Clone)]
pub(crate) struct ListSpec {
    pub(crate) ver: u64,
    pub(crate) made_at: UnixSeconds,
    pub(crate) lifetime_secs: u64,
    pub(crate) grace: u64,
    pub(crate) entries: Vec<Entry>,
    pub(crate) token_key: Pair,
    pub(crate) not_before: Option<u64>,
    pub(crate) signed_by: Pair,
    pub(crate) segments: Value,
}

impl Default for ListSpec {
    fn default() -> Self {
        Self {
            ver: 1,
            made_at: NOW,
            lifetime_secs: 180,
            grace: 0,
            entries: Vec::new(),
            token_key: TOKEN_KEY,
            not_before: None,
            signed_by: LIST_KEY,
            segments: json!([]),
        }
    }
}

impl ListSpec {
    pub(crate) fn tail(&self) -> Tail {
        let mut tail = Tail::new();
        for entry in &self.entries {
            tail.push(*entry);
        }
        tail
    }

    /// The message with the tail from byte `from` on.
    pub(crate) fn message_from(&self, from: usize) -> ListMessage {
        let tail = self.tail();
        let mut issuer = json!({
            "iss": ISSUER, "aud": AUDIENCE, "typ": "at+jwt", "algs": ["EdDSA"],
            "max_lifetime": 3600, "keys": [self.token_key.jwk()],
        });
        if let Some(not_before) = self.not_before {
            issuer["not_before"] = json!(not_before);
        }
        let iat = self.made_at.as_secs();
        let head = json!({
            "iss": ISSUER, "iat": iat, "exp": iat + self.lifetime_secs, "ver": self.ver,
            "grace": self.grace, "issuers": [issuer], "segments": self.segments,
            "tail": { "sha256": tail.sha256(), "count": tail.count() },
        });
        ListMessage {
            head: self.signed_by.sign(shared::HEAD_TYP, &head),
            from: from as u64,
            tail: tail.as_bytes()[from..].to_vec(),
        }
    }

    pub(crate) fn message(&self) -> ListMessage {
        self.message_from(0)
    }

    pub(crate) fn list(&self) -> RevocationList {
        let (message, pins) = (self.message(), pins());
        let verify = RevocationList::verify(&message, &pins, &NativeVerifier, self.made_at);
        verify_now(verify).unwrap().build(None, Vec::new()).unwrap()
    }
}

/// The claims of an ordinary user's token, made at [`NOW`].
pub(crate) fn claims() -> Value {
    let now = NOW.as_secs();
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "user-1", "jti": "token-1", "sid": "session-1",
        "client_id": "web", "scope": "profile", "iat": now, "exp": now + 3600,
    })
}

pub(crate) fn claims_with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

pub(crate) fn token_text(claims: &Value) -> String {
    TOKEN_KEY.sign("at+jwt", claims)
}

/// A token that was verified under a default list at the time it was made.
pub(crate) fn valid_token(claims: &Value) -> ValidToken {
    let list = ListSpec::default().list();
    let issuer = list.issuer(ISSUER).unwrap();
    let text = token_text(claims);
    let token = UnverifiedToken::parse(&text).unwrap();
    let signed = verify_now(token.verify_signature(&issuer.keys, &NativeVerifier)).unwrap();
    signed.validate(&issuer.policy, NOW).unwrap()
}
