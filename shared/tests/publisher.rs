//! Makes lists as the origin would, and any other list that a test wants.

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use shared::{
    Entry, HEAD_TYP, Head, Issuer, KeySet, ListError, ListMessage, ListPins, NativeVerifier,
    RevocationList, Segment, SegmentRef, Tail, TailRef, UnixSeconds, VerifiedMessage, verify_now,
};

/// When every test happens.
pub(crate) const NOW: u64 = 1_800_000_000;
/// Who makes the list, and the tokens that it names.
pub(crate) const ISSUER: &str = "https://issuer.example";

pub(crate) fn now() -> UnixSeconds {
    UnixSeconds::from_secs(NOW)
}

/// A committed test key of the corpus.
#[derive(Clone, Copy)]
pub(crate) struct TestKey(&'static [u8]);

/// Signs lists.
pub(crate) const LIST: TestKey = TestKey(include_bytes!("../../tests/corpus/keys/list.pem"));
/// Signs tokens.
pub(crate) const TOKEN: TestKey = TestKey(include_bytes!("../../tests/corpus/keys/ed25519.pem"));

impl TestKey {
    /// A JWS over a header and a payload of any text.
    pub(crate) fn sign(self, header: &str, payload: &str) -> String {
        let key = EncodingKey::from_ed_pem(self.0).unwrap();
        let input = format!("{}.{}", encode(header), encode(payload));
        let signature =
            jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::EdDSA).unwrap();
        format!("{input}.{signature}")
    }

    /// The public half under a name.
    pub(crate) fn jwk(self, kid: &str) -> Value {
        let key = EncodingKey::from_ed_pem(self.0).unwrap();
        let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        jwk["kid"] = json!(kid);
        jwk
    }

    /// The set of that key alone.
    pub(crate) fn key_set(self, kid: &str) -> KeySet {
        KeySet::from_value(&json!({ "keys": [self.jwk(kid)] })).unwrap()
    }
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn header(typ: &str, kid: &str) -> String {
    json!({"alg": "EdDSA", "typ": typ, "kid": kid}).to_string()
}

/// What an edge knows beforehand.
pub(crate) fn pins() -> ListPins {
    ListPins {
        issuer: ISSUER.to_owned(),
        keys: LIST.key_set("list"),
    }
}

/// A head of version `ver` over a tail and segments.
pub(crate) fn head(ver: u64, tail: &Tail, segments: Vec<SegmentRef>) -> Head {
    Head {
        iss: ISSUER.to_owned(),
        iat: now(),
        exp: now().plus_secs(180),
        ver,
        issuers: vec![issuer()],
        grace: 0,
        segments,
        tail: TailRef {
            sha256: tail.sha256(),
            count: tail.count(),
        },
    }
}

fn issuer() -> Issuer {
    Issuer {
        iss: ISSUER.to_owned(),
        aud: "https://api.example".to_owned(),
        typ: "at+jwt".to_owned(),
        algs: vec![shared::Algorithm::EdDsa, shared::Algorithm::Es256],
        max_lifetime: 3600,
        not_before: None,
        keys: json!([TOKEN.jwk("ed")]),
    }
}

/// The head as the list key signs it.
pub(crate) fn sign(head: &Head) -> String {
    LIST.sign(&header(HEAD_TYP, "list"), &head.to_json())
}

/// The message of a head with the tail's bytes from `from` on.
pub(crate) fn message(head: &Head, tail: &Tail, from: usize) -> ListMessage {
    ListMessage {
        head: sign(head),
        from: from as u64,
        tail: tail.as_bytes()[from..].to_vec(),
    }
}

/// A tail of these entries.
pub(crate) fn tail(entries: &[Entry]) -> Tail {
    let mut tail = Tail::new();
    for entry in entries {
        tail.push(*entry);
    }
    tail
}

/// A segment of these entries, and how a head names it.
pub(crate) fn segment(entries: &[Entry]) -> (SegmentRef, Vec<u8>) {
    let bytes = Segment::build(entries);
    let reference = SegmentRef {
        sha256: Segment::sha256_of(&bytes),
        count: Segment::parse(bytes.clone()).unwrap().count(),
        until: now().plus_secs(7200),
    };
    (reference, bytes)
}

/// The first step that an edge takes with a message.
pub(crate) fn verify(message: &ListMessage) -> Result<VerifiedMessage, ListError> {
    verify_now(RevocationList::verify(
        message,
        &pins(),
        &NativeVerifier,
        now(),
    ))
}

/// Every step that an edge takes with a message.
pub(crate) fn read(
    message: &ListMessage,
    current: Option<&RevocationList>,
    fetched: &[(SegmentRef, Vec<u8>)],
) -> Result<RevocationList, ListError> {
    verify(message)?.build(current, fetched.to_vec())
}
