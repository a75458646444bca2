//! A segment whose bytes are those that a signed head names: hashed first, and read only then. Who
//! hashes is the host's choice; what is compared, and with what, is not.

use std::future::Future;
use std::sync::Arc;

use crate::base64url;
use crate::error::ListError;
use crate::revocation::content_address;
use crate::revocation::entry::{Before, Fingerprint};
use crate::revocation::head::SegmentRef;
use crate::revocation::segment::SearchableSegment;

/// A host's engine for SHA-256, where it has one that is faster than the code in here.
pub trait Digester {
    /// SHA-256 of `bytes`; an error is a fault of the host.
    fn sha256(&self, bytes: &[u8]) -> impl Future<Output = Result<[u8; 32], DigestFailed>>;
}

/// The engine gave no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestFailed;

/// A segment that some head names, ready for use. Cloning it copies a pointer.
#[derive(Clone, Debug)]
pub struct CheckedSegment {
    sha256: String,
    segment: Arc<SearchableSegment>,
}

impl CheckedSegment {
    /// Reads `bytes` if they are what `reference` names.
    pub fn check(reference: &SegmentRef, bytes: Vec<u8>) -> Result<Self, ListError> {
        Self::read(reference, content_address::of(&bytes), bytes)
    }

    /// The same, hashed by the host.
    pub async fn check_with(
        reference: &SegmentRef,
        bytes: Vec<u8>,
        digester: &impl Digester,
    ) -> Result<Self, ListError> {
        let digest = digester.sha256(&bytes).await;
        let digest = digest.map_err(|DigestFailed| ListError::EngineFailed)?;
        Self::read(reference, base64url::encode(&digest), bytes)
    }

    fn read(reference: &SegmentRef, sha256: String, bytes: Vec<u8>) -> Result<Self, ListError> {
        if sha256 != reference.sha256 {
            return Err(ListError::SegmentMismatch);
        }
        let segment = Arc::new(SearchableSegment::parse(bytes)?);
        Ok(Self { sha256, segment })
    }

    pub(super) fn is_named(&self, sha256: &str) -> bool {
        self.sha256 == sha256
    }

    /// The `before` of a name, if it has an entry here.
    #[must_use]
    #[inline]
    pub fn find(&self, fingerprint: Fingerprint) -> Option<Before> {
        self.segment.find(fingerprint)
    }

    /// How many names are listed here.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.segment.count()
    }
}
