//! The table of token keys, and who signs. Whose turn it is, when a key may sign and when it has done
//! its work is the origin's own code; a model are the rows, and what `keys::rotation` writes to them.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use origin::keys::turn::{self, NOTE_INTERVAL_SECS};
use origin::keys::{KeyRing, SigningKey};
use origin::store::token_keys::TokenKeyRow;
use shared::{ACCESS_TOKEN_TYP, Algorithm, UnixSeconds};

/// A PKCS#8 Ed25519 key (RFC 8410, section 7) up to its 32 octets.
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// A history needs few, and a key costs nothing but its number.
const MOST_KEYS: u8 = 12;

#[derive(Debug)]
pub struct TokenKeys {
    rows: Vec<TokenKeyRow>,
    /// Every replica holds all of them.
    held: Vec<Arc<SigningKey>>,
}

/// What came of revoking a key.
#[derive(Debug)]
pub struct KeyRevoked {
    pub kid: String,
    /// Signs at once, before edges have it.
    pub hurried: Option<String>,
}

impl Default for TokenKeys {
    /// The first one signs at once: no edge decides yet.
    fn default() -> Self {
        let mut keys = Self {
            rows: Vec::new(),
            held: Vec::new(),
        };
        keys.make(Some(UnixSeconds::EPOCH), UnixSeconds::EPOCH);
        keys
    }
}

impl TokenKeys {
    /// The token, and the key that signed it; nothing while no key may sign.
    pub fn sign(&mut self, claims: &str, now: UnixSeconds) -> Option<(String, String)> {
        let ring = KeyRing::new(&self.rows, &self.held).unwrap();
        let signer = Arc::clone(ring.signer(now)?);
        self.note_use(&signer.kid, now);
        let text = signer.sign(ACCESS_TOKEN_TYP, claims).unwrap();
        Some((text, signer.kid.clone()))
    }

    /// As `keys::follow`: now and then, and never back.
    fn note_use(&mut self, kid: &str, now: UnixSeconds) {
        let row = self.row(kid);
        if row
            .last_signed_at
            .is_none_or(|at| now >= at.plus_secs(NOTE_INTERVAL_SECS))
        {
            row.last_signed_at = Some(now);
        }
    }

    /// A new key, unless one is on its way.
    pub fn rotate(&mut self, now: UnixSeconds) {
        let ring = KeyRing::new(&self.rows, &self.held).unwrap();
        let is_under_way = ring
            .newest_held()
            .is_some_and(|newest| !newest.may_sign(now));
        if !is_under_way && self.held.len() < usize::from(MOST_KEYS) {
            self.make(None, now);
        }
    }

    /// A key leaked: the next list lacks it. Another signs at once, known to edges or not.
    pub fn revoke(&mut self, number: usize, now: UnixSeconds) -> Option<KeyRevoked> {
        if self.held.len() >= usize::from(MOST_KEYS) {
            return None;
        }
        let live: Vec<&TokenKeyRow> = self.rows.iter().filter(|row| row.is_live()).collect();
        let kid = live[number % live.len()].kid.clone();
        let mut others = live.iter().filter(|row| row.kid != kid);
        let hurried = if others.clone().any(|row| row.may_sign(now)) {
            None
        } else if let Some(next) = others.next().map(|row| row.kid.clone()) {
            self.row(&next).signs_from = Some(now);
            Some(next)
        } else {
            Some(self.make(Some(now), now))
        };
        let row = self.row(&kid);
        (row.revoked_at, row.version) = (Some(now), None);
        Some(KeyRevoked { kid, hurried })
    }

    fn make(&mut self, signs_from: Option<UnixSeconds>, now: UnixSeconds) -> String {
        let key = SigningKey::from_pem(Algorithm::EdDsa, &pem(self.held.len())).unwrap();
        let kid = key.kid.clone();
        self.rows.push(TokenKeyRow {
            kid: kid.clone(),
            algorithm: key.algorithm,
            public_jwk: key.public_jwk(),
            created_at: now,
            version: None,
            signs_from,
            last_signed_at: None,
            revoked_at: None,
            retired_at: None,
        });
        self.held.push(Arc::new(key));
        kid
    }

    /// Those that the next list carries; what has done its work goes first.
    pub fn retire_and_list(&mut self, lifetime_secs: u64, now: UnixSeconds) -> Vec<TokenKeyRow> {
        let all = self.rows.clone();
        for row in self.rows.iter_mut().filter(|row| row.is_live()) {
            if turn::is_over(row, &all, lifetime_secs, now) {
                row.retired_at = Some(now);
            }
        }
        let live = self.rows.iter().filter(|row| row.is_live());
        live.cloned().collect()
    }

    /// A list is out that says what the rows say.
    pub fn mark_listed(
        &mut self,
        version: u64,
        predecessors_end_at: UnixSeconds,
        now: UnixSeconds,
    ) {
        let signs_from = turn::signs_from(predecessors_end_at, now);
        for row in self.rows.iter_mut().filter(|row| row.version.is_none()) {
            row.version = Some(version);
            row.signs_from = row.signs_from.or(Some(signs_from));
        }
    }

    /// The first list without the revoked key.
    #[must_use]
    pub fn version_without(&self, kid: &str) -> Option<u64> {
        let row = self.rows.iter().find(|row| row.kid == kid)?;
        row.version.filter(|_| row.revoked_at.is_some())
    }

    #[must_use]
    pub fn is_live(&self, kid: &str) -> bool {
        self.rows.iter().any(|row| row.kid == kid && row.is_live())
    }

    #[must_use]
    pub fn retired(&self) -> u64 {
        let retired = self.rows.iter().filter(|row| row.retired_at.is_some());
        retired.count() as u64
    }

    fn row(&mut self, kid: &str) -> &mut TokenKeyRow {
        self.rows.iter_mut().find(|row| row.kid == kid).unwrap()
    }
}

/// The key of this number: the same in every run.
fn pem(number: usize) -> String {
    let octets = [u8::try_from(number + 1).unwrap(); 32];
    let der = [&PKCS8_HEAD[..], &octets].concat();
    let text = BASE64_STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}
