//! The signatures of algorithms that sign the same bytes differently each time, kept so that the
//! corpus does not change where its cases did not.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::test_key::TestKey;

/// Signatures by key and signed bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures(BTreeMap<String, String>);

impl Signatures {
    /// Reads the committed file.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        Ok(Self(serde_json::from_str(text)?))
    }

    /// The file's text.
    pub fn print(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(&self.0)? + "\n")
    }

    /// The signature of `key` over `input`, if it is known.
    pub(crate) fn find(&self, key: &TestKey, input: &[u8]) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(self.0.get(&name(key, input))?).ok()
    }

    /// Keeps a signature.
    pub(crate) fn insert(&mut self, key: &TestKey, input: &[u8], signature: &[u8]) {
        self.0
            .insert(name(key, input), URL_SAFE_NO_PAD.encode(signature));
    }
}

/// What was signed, and by whom: so a changed case or key finds nothing.
fn name(key: &TestKey, input: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(key.alg);
    hash.update(Sha256::digest(key.pem()));
    hash.update(input);
    URL_SAFE_NO_PAD.encode(hash.finalize())
}
