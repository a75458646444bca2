//! The list in this process.

use sha2::{Digest, Sha256};
use shared::{DigestFailed, Digester, NativeVerifier, SignatureVerifier};

#[derive(Debug)]
pub(super) struct Native;

impl list_bench::Host for Native {
    fn verifier(&self) -> &impl SignatureVerifier {
        &NativeVerifier
    }

    fn digester(&self) -> &impl Digester {
        self
    }

    /// Other lists came and went in this process before.
    fn memory_bytes(&self) -> u64 {
        0
    }
}

impl Digester for Native {
    async fn sha256(&self, bytes: &[u8]) -> Result<[u8; 32], DigestFailed> {
        Ok(Sha256::digest(bytes).into())
    }
}
