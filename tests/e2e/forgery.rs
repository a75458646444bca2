//! Lists as an attacker, a backup or a broken publisher would leave them in KV, and a look into
//! tokens that trusts nothing.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::Value;
use shared::{HEAD_TYP, ListMessage};

/// Takes a real list apart and signs it again, changed.
#[derive(Debug, Clone)]
pub struct ListForger {
    message: ListMessage,
    kid: Option<String>,
    payload: Value,
}

impl ListForger {
    /// Starts from what the origin published to KV.
    pub fn from_published(value: &[u8]) -> anyhow::Result<Self> {
        let message = ListMessage::parse(value).context("the published list")?;
        let kid = jsonwebtoken::decode_header(&message.head)?.kid;
        let payload = read_claims(&message.head)?;
        Ok(Self {
            message,
            kid,
            payload,
        })
    }

    /// Sets a member of the head.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.payload[member] = value.into();
        self
    }

    /// A number in the head, as it is now.
    #[must_use]
    pub fn number(&self, member: &str) -> f64 {
        self.payload[member].as_f64().unwrap_or_default()
    }

    /// The list with the changes, signed by the key in `pem`, under the real key's name.
    pub fn sign(&self, pem: &[u8]) -> anyhow::Result<Vec<u8>> {
        let key = EncodingKey::from_ed_pem(pem)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(HEAD_TYP.to_owned());
        header.kid.clone_from(&self.kid);
        let head = jsonwebtoken::encode(&header, &self.payload, &key)?;
        Ok(ListMessage {
            head,
            ..self.message.clone()
        }
        .to_json()
        .into_bytes())
    }
}

/// The payload of a compact JWS, unverified.
pub fn read_claims(jws: &str) -> anyhow::Result<Value> {
    let payload = jws.split('.').nth(1).context("no compact JWS")?;
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?)
}
