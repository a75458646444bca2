//! An edge as far as lists go: it believes what `shared` verifies, and nothing else.

use origin::publisher::Publisher;
use origin::publisher::published_list::PublishedList;
use origin::store::segments;
use serde_json::json;
use shared::{
    Before, Fingerprint, KeySet, ListError, ListMessage, ListPins, NativeVerifier, RevocationList,
    Scope, UnixSeconds,
};
use sqlx::AnyPool;

use crate::harness::{ISSUER, Replica};

pub(crate) struct Edge {
    pins: ListPins,
    pool: AnyPool,
    pub(crate) list: Option<RevocationList>,
    /// Bytes of tail that it was sent so far.
    pub(crate) tail_bytes_received: usize,
    pub(crate) segments_fetched: usize,
}

impl Edge {
    pub(crate) fn of(replica: &Replica) -> Self {
        let keys = json!({ "keys": [list_key(&replica.publisher)] });
        Self {
            pins: ListPins {
                issuer: ISSUER.to_owned(),
                keys: KeySet::from_value(&keys).unwrap(),
            },
            pool: replica.pool().clone(),
            list: None,
            tail_bytes_received: 0,
            segments_fetched: 0,
        }
    }

    pub(crate) fn version(&self) -> u64 {
        self.list.as_ref().map_or(0, RevocationList::version)
    }

    /// Pulls once, as a running edge does.
    pub(crate) async fn pull(&mut self, list: &PublishedList, now: UnixSeconds) {
        self.take(&list.message_after(self.version()), now)
            .await
            .unwrap();
    }

    /// Takes a list message over: verified, completed, swapped in.
    pub(crate) async fn take(&mut self, json: &[u8], now: UnixSeconds) -> Result<(), ListError> {
        let message = ListMessage::parse(json)?;
        self.tail_bytes_received += message.tail.len();
        let verified = RevocationList::verify(&message, &self.pins, &NativeVerifier, now).await?;
        let mut fetched = Vec::new();
        for segment in verified.missing_segments(self.list.as_ref()) {
            let bytes = segments::find_bytes(&self.pool, &segment.sha256)
                .await
                .unwrap();
            fetched.push((
                segment,
                bytes.expect("a head names a segment that is not stored"),
            ));
            self.segments_fetched += 1;
        }
        self.list = Some(verified.build(self.list.as_ref(), fetched)?);
        Ok(())
    }

    pub(crate) fn find(&self, scope: Scope, name: &str) -> Option<Before> {
        self.list
            .as_ref()?
            .find(Fingerprint::of(scope, ISSUER, name))
    }

    pub(crate) fn knows_sessions(&self, names: &[String]) -> bool {
        names
            .iter()
            .all(|name| self.find(Scope::Session, name).is_some())
    }
}

fn list_key(publisher: &Publisher) -> serde_json::Value {
    publisher.keys.list.public_jwk()
}
