//! A whole list in memory: built aside from verified parts, then only asked. It is never changed,
//! so whoever holds one keeps a consistent answer while a newer one takes its place.

use std::sync::Arc;

use serde_json::json;

use crate::error::ListError;
use crate::keys::KeySet;
use crate::retention::LEEWAY_SECS;
use crate::revocation::checked_segment::CheckedSegment;
use crate::revocation::entry::{Before, Fingerprint, RevocationStatus};
use crate::revocation::head::{Head, Issuer, SegmentRef, SignedHead, UnverifiedHead};
use crate::revocation::message::ListMessage;
use crate::revocation::tail::Tail;
use crate::time::UnixSeconds;
use crate::validate::{ValidToken, ValidationPolicy};
use crate::verify::SignatureVerifier;

/// What an edge knows of the list before it sees one.
#[derive(Clone, Debug)]
pub struct ListPins {
    /// Who makes the list.
    pub issuer: String,
    /// The list keys: one, or two while they are rotated.
    pub keys: KeySet,
}

/// A verified, complete list. Cloning it copies a pointer.
#[derive(Clone, Debug)]
pub struct RevocationList {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    head: SignedHead,
    issuers: Vec<TrustedIssuer>,
    tail: Tail,
    segments: Vec<CheckedSegment>,
}

/// An issuer that the list trusts, ready for use.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// What is asked of its tokens.
    pub policy: ValidationPolicy,
    /// The keys that it signs with.
    pub keys: KeySet,
    /// Its tokens issued before this are revoked.
    pub not_before: Option<UnixSeconds>,
}

/// A message whose head a pinned key signed, for this issuer, and that is not past its end.
#[derive(Debug)]
pub struct VerifiedMessage {
    head: SignedHead,
    issuers: Vec<TrustedIssuer>,
    from: u64,
    tail: Vec<u8>,
}

impl RevocationList {
    /// Verifies the head of `message`. What it names may still be missing: see
    /// [`VerifiedMessage::missing_segments`] and [`VerifiedMessage::build`].
    pub async fn verify(
        message: &ListMessage,
        pins: &ListPins,
        verifier: &impl SignatureVerifier,
        now: UnixSeconds,
    ) -> Result<VerifiedMessage, ListError> {
        let signed = UnverifiedHead::parse(&message.head)?
            .verify_signature(&pins.keys, verifier)
            .await?;
        let head = signed.head();
        if head.iss != pins.issuer {
            return Err(ListError::HeadWrongIssuer);
        }
        if now >= head.exp.plus_secs(head.grace) {
            return Err(ListError::HeadExpired);
        }
        let issuers = head
            .issuers
            .iter()
            .map(|issuer| TrustedIssuer::load(issuer, &head.iss))
            .collect::<Result<_, _>>()?;
        Ok(VerifiedMessage {
            issuers,
            head: signed,
            from: message.from,
            tail: message.tail.clone(),
        })
    }

    /// What the head says.
    #[must_use]
    pub fn head(&self) -> &Head {
        self.inner.head.head()
    }

    /// The version: never smaller than that of a list before it.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.head().ver
    }

    /// Seconds since the list was made; 0 while the head's clock is ahead of ours.
    #[must_use]
    pub fn age_secs(&self, now: UnixSeconds) -> f64 {
        now.secs_since(self.head().iat).max(0.0)
    }

    /// Whether the list is past its `exp`, grace left aside.
    #[must_use]
    pub fn is_expired(&self, now: UnixSeconds) -> bool {
        now >= self.head().exp
    }

    /// The issuer with exactly this `iss`.
    #[must_use]
    pub fn issuer(&self, iss: &str) -> Option<&TrustedIssuer> {
        self.inner
            .issuers
            .iter()
            .find(|issuer| issuer.policy.issuer == iss)
    }

    /// How many entries the list has.
    #[must_use]
    pub fn entry_count(&self) -> u64 {
        let sealed: u64 = self.inner.segments.iter().map(CheckedSegment::count).sum();
        sealed + self.inner.tail.count()
    }

    /// Whether a valid token was revoked. The narrowest scope is named first.
    #[must_use]
    pub fn status(&self, token: &ValidToken) -> RevocationStatus {
        let (claims, names) = (token.claims(), token.names());
        let is_revoked = |name| {
            let before = self.find(name);
            before.is_some_and(|before| before.is_after(claims.iat))
        };
        if is_revoked(names.token) {
            return RevocationStatus::TokenRevoked;
        }
        if names.session.is_some_and(is_revoked) {
            return RevocationStatus::SessionRevoked;
        }
        if is_revoked(names.user) {
            return RevocationStatus::UserCutOff;
        }
        let cut_off = self
            .issuer(&claims.iss)
            .and_then(|issuer| issuer.not_before);
        match cut_off {
            Some(time) if Before::Time(time).is_after(claims.iat) => RevocationStatus::IssuerCutOff,
            _ => RevocationStatus::NotRevoked,
        }
    }

    /// The latest `before` that any part of the list has for a name.
    #[must_use]
    pub fn find(&self, fingerprint: Fingerprint) -> Option<Before> {
        let segments = &self.inner.segments;
        let sealed = segments
            .iter()
            .filter_map(|checked| checked.find(fingerprint));
        sealed.max().max(self.inner.tail.find(fingerprint))
    }

    fn held(&self, sha256: &str) -> Option<&CheckedSegment> {
        self.inner
            .segments
            .iter()
            .find(|checked| checked.is_named(sha256))
    }
}

impl TrustedIssuer {
    /// Whether the issuer still signs with the key that has this fingerprint.
    #[must_use]
    pub fn has_key(&self, fingerprint: &[u8; 32]) -> bool {
        self.keys
            .keys()
            .iter()
            .any(|key| key.fingerprint() == *fingerprint)
    }

    /// `list_issuer` is the origin itself, whose tokens always name a session and a client.
    fn load(issuer: &Issuer, list_issuer: &str) -> Result<Self, ListError> {
        let keys = KeySet::from_value(&json!({ "keys": issuer.keys }))
            .map_err(|_| ListError::IssuerKeys)?;
        let policy = ValidationPolicy {
            issuer: issuer.iss.clone(),
            audience: issuer.aud.clone(),
            typ: issuer.typ.clone(),
            algorithms: issuer.algs.clone(),
            leeway_secs: LEEWAY_SECS,
            max_lifetime_secs: issuer.max_lifetime,
            require_session: issuer.iss == list_issuer,
        };
        Ok(Self {
            policy,
            keys,
            not_before: issuer.not_before,
        })
    }
}

impl VerifiedMessage {
    /// What the head says.
    #[must_use]
    pub fn head(&self) -> &Head {
        self.head.head()
    }

    /// The segments to fetch before [`VerifiedMessage::build`]: those that `current` lacks.
    #[must_use]
    pub fn missing_segments(&self, current: Option<&RevocationList>) -> Vec<SegmentRef> {
        let is_held =
            |segment: &SegmentRef| current.is_some_and(|list| list.held(&segment.sha256).is_some());
        self.head()
            .segments
            .iter()
            .filter(|segment| !is_held(segment))
            .cloned()
            .collect()
    }

    /// Puts the list together from the message, the `fetched` segments and what `current` has; what
    /// was fetched is checked here.
    ///
    /// On [`ListError::TailMismatch`] the message continues a tail that `current` does not hold:
    /// the whole is needed (`after=0`).
    pub fn build(
        self,
        current: Option<&RevocationList>,
        fetched: Vec<(SegmentRef, Vec<u8>)>,
    ) -> Result<RevocationList, ListError> {
        let checked = fetched
            .into_iter()
            .map(|(reference, bytes)| CheckedSegment::check(&reference, bytes))
            .collect::<Result<Vec<_>, _>>()?;
        self.build_from_checked(current, &checked)
    }

    /// The same from segments that were checked before.
    pub fn build_from_checked(
        self,
        current: Option<&RevocationList>,
        fetched: &[CheckedSegment],
    ) -> Result<RevocationList, ListError> {
        if let Some(current) = current {
            refuse_unless_newer(&self.head, &current.inner.head)?;
        }
        let tail = self.build_tail(current)?;
        let segments = self.build_segments(current, fetched)?;
        let Self { head, issuers, .. } = self;
        Ok(RevocationList {
            inner: Arc::new(Inner {
                head,
                issuers,
                tail,
                segments,
            }),
        })
    }

    fn build_tail(&self, current: Option<&RevocationList>) -> Result<Tail, ListError> {
        let from = usize::try_from(self.from).map_err(|_| ListError::TailMismatch)?;
        let mut tail = match (from, current) {
            (0, _) => Tail::new(),
            (from, Some(list)) if list.inner.tail.as_bytes().len() == from => {
                list.inner.tail.clone()
            }
            (from, Some(list)) => {
                let held = list.inner.tail.as_bytes().get(..from);
                Tail::parse(held.ok_or(ListError::TailMismatch)?)
                    .map_err(|_| ListError::TailMismatch)?
            }
            (_, None) => return Err(ListError::TailMismatch),
        };
        tail.append(&self.tail).map_err(|error| match from {
            0 => error,
            // What does not go on from here may be whole elsewhere: the edge asks for all of it.
            _ => ListError::TailMismatch,
        })?;
        let signed = &self.head().tail;
        if tail.sha256() == signed.sha256 && tail.count() == signed.count {
            Ok(tail)
        } else {
            Err(ListError::TailMismatch)
        }
    }

    fn build_segments(
        &self,
        current: Option<&RevocationList>,
        fetched: &[CheckedSegment],
    ) -> Result<Vec<CheckedSegment>, ListError> {
        let find = |reference: &SegmentRef| {
            let held = current.and_then(|list| list.held(&reference.sha256));
            let is_named = |checked: &&CheckedSegment| checked.is_named(&reference.sha256);
            let found = held.or_else(|| fetched.iter().find(is_named));
            let found = found.ok_or(ListError::SegmentMissing)?;
            if found.count() == reference.count {
                Ok(found.clone())
            } else {
                Err(ListError::SegmentMismatch)
            }
        };
        self.head().segments.iter().map(find).collect()
    }
}

fn refuse_unless_newer(new: &SignedHead, current: &SignedHead) -> Result<(), ListError> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match new.head().ver.cmp(&current.head().ver) {
        Greater => Ok(()),
        Equal if new.jws() != current.jws() => Err(ListError::VersionConflict),
        Equal | Less => Err(ListError::NotNewer),
    }
}
