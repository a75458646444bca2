//! What is usual elsewhere: the `jti`s as text, a line each, and a set of strings in memory.

use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;

use super::Coding;
use crate::names;

#[derive(Debug)]
pub(crate) struct TextSet(HashSet<String>);

/// 128 bits in 22 characters, as a `jti` of ours has.
fn jti(name: u64) -> String {
    let bits = u128::from(name) << 64 | u128::from(names::numbered(name));
    BASE64URL.encode(bits.to_be_bytes())
}

impl Coding for TextSet {
    type Question = String;

    fn encode(names: &[u64]) -> Vec<Vec<u8>> {
        let mut text = String::new();
        for name in names {
            text.push_str(&jti(*name));
            text.push('\n');
        }
        vec![text.into_bytes()]
    }

    fn open(mut parts: Vec<Vec<u8>>) -> Option<Self> {
        let text = String::from_utf8(parts.pop()?).ok()?;
        Some(Self(text.lines().map(str::to_owned).collect()))
    }

    fn question(name: u64) -> String {
        jti(name)
    }

    #[inline]
    fn contains(&self, question: &String) -> bool {
        self.0.contains(question)
    }
}
