//! `portcullis list verify`: everything that can be wrong with what edges get has its own finding.

use origin::publisher::deliver::deliver_once;
use origin::publisher::verify::{PullClient, Source, Subject, Verdict, look};
use serde_json::json;
use shared::{HEAD_TYP, KV_HEAD_KEY, KeySet, ListMessage, ListPins, Scope};
use tokio::net::TcpSocket;
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

use crate::harness::{EDGE_SECRET, ISSUER, Replica, World, names, on_both_stores};
use crate::kv_double::KvDouble;

/// An origin that serves, with a list in both lanes that has a segment, a tail and a cut-off.
struct Published {
    origin: Replica,
    kv: KvDouble,
    url: url::Url,
    _server: DropGuard,
}

async fn published(world: &World) -> Published {
    let kv = KvDouble::start().await;
    let origin = world.replica_with_kv("first", &kv).await.started().await;
    origin.revoke_sessions(&names("sealed", 300)).await;
    origin.publish().await;
    origin.advance_secs(300);
    let second = origin.now().as_secs();
    origin.revoke(Scope::Token, "a token", None).await;
    origin.revoke(Scope::User, "a user", Some(second)).await;
    origin.revoke(Scope::Issuer, ISSUER, Some(second)).await;
    let (url, server) = serve(&origin).await;
    let published = Published {
        origin,
        kv,
        url,
        _server: server,
    };
    published.publish().await;
    published
}

async fn serve(origin: &Replica) -> (url::Url, DropGuard) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let router = origin::router::router(origin.app.clone());
    tokio::spawn(origin::server::serve(listener, router, 100, stop.clone()));
    (url.parse().unwrap(), stop.drop_guard())
}

impl Published {
    /// A new list, in both lanes.
    async fn publish(&self) {
        self.origin.publish().await;
        let kv = self.origin.publisher.kv.clone().unwrap();
        deliver_once(&self.origin.publisher, &kv, self.origin.now())
            .await
            .unwrap();
    }

    fn in_kv(&self) -> Vec<u8> {
        self.kv.value(KV_HEAD_KEY).unwrap()
    }

    fn segment_key(&self) -> String {
        let puts = self.kv.puts();
        let segment = puts.iter().find(|put| put.key != KV_HEAD_KEY);
        segment.unwrap().key.clone()
    }

    async fn look(&self) -> Verdict {
        self.look_with(EDGE_SECRET).await
    }

    async fn look_with(&self, secret: &str) -> Verdict {
        let pull = PullClient::new(self.url.clone(), secret.into()).unwrap();
        let kv = self.origin.publisher.kv.clone().unwrap();
        let keys = json!({ "keys": [self.origin.publisher.keys.list.public_jwk()] });
        let pins = ListPins {
            issuer: ISSUER.to_owned(),
            keys: KeySet::from_value(&keys).unwrap(),
        };
        let subject = Subject {
            pool: self.origin.pool(),
            sources: &[Source::Kv(kv), Source::Pull(pull)],
            pins: &pins,
            heartbeat_secs: 15,
        };
        look(&subject, self.origin.now()).await.unwrap()
    }

    /// The codes of what is found, with the lane of each.
    async fn findings(&self) -> Vec<String> {
        codes(&self.look().await)
    }

    async fn execute(&self, statement: &'static str) {
        sqlx::query(statement)
            .execute(self.origin.pool())
            .await
            .unwrap();
    }
}

fn codes(verdict: &Verdict) -> Vec<String> {
    let findings = verdict.findings.iter();
    findings
        .map(|finding| {
            let lane = serde_json::to_value(finding).unwrap()["lane"].clone();
            format!("{} {}", lane.as_str().unwrap_or("-"), finding.code())
        })
        .collect()
}

on_both_stores! {
    async fn finds_nothing_where_all_is_well(world) {
        let published = published(world).await;
        let verdict = published.look().await;
        assert_eq!(codes(&verdict), [""; 0]);
        let newest = verdict.version.unwrap();
        for lane in &verdict.lanes {
            assert_eq!((lane.version, lane.entries, lane.segments), (newest, 302, 1));
        }
        assert_eq!(verdict.lanes.len(), 2);
    }

    async fn finds_a_kv_that_was_rolled_back_truncated_forged_or_emptied(world) {
        let published = published(world).await;
        let older = published.in_kv();
        published.origin.advance_secs(15);
        published.publish().await;
        let good = published.in_kv();
        let message = ListMessage::parse(&good).unwrap();
        let cut = |mut message: ListMessage| {
            message.tail.clear();
            message.to_json().into_bytes()
        };
        for (value, found) in [
            (older, "kv behind"),
            (good[..good.len() / 2].to_vec(), "kv list_message_malformed"),
            (cut(message.clone()), "kv list_tail_mismatch"),
            (forged(&published, &message), "kv list_head_key_unknown"),
            (vec![b' '; 200_000], "kv kv_value_too_long"),
        ] {
            published.kv.set(KV_HEAD_KEY, &value);
            assert_eq!(published.findings().await, [found]);
        }
        published.kv.remove(KV_HEAD_KEY);
        assert_eq!(published.findings().await, ["kv no_list"]);
        published.kv.set(KV_HEAD_KEY, &good);
        assert_eq!(published.findings().await, [""; 0]);
    }

    async fn finds_a_segment_that_is_missing_or_another(world) {
        let published = published(world).await;
        let key = published.segment_key();
        published.kv.remove(&key);
        assert_eq!(published.findings().await, ["kv segment_lacking"]);
        published.kv.set(&key, b"something else");
        assert_eq!(published.findings().await, ["kv list_segment_mismatch"]);
    }

    async fn finds_a_publisher_that_stopped(world) {
        let published = published(world).await;
        published.origin.advance_secs(91);
        assert_eq!(published.findings().await, ["kv overdue", "pull overdue"]);
        published.origin.revoke(Scope::Session, "waits", None).await;
        published.origin.advance_secs(91);
        let ended = ["- unpublished", "kv list_head_expired", "pull list_head_expired"];
        assert_eq!(published.findings().await, ended);
    }

    async fn finds_a_revocation_that_no_list_carries_and_an_entry_without_one(world) {
        let published = published(world).await;
        let id = published.origin.revoke(Scope::Session, "lost", None).await;
        published
            .execute("UPDATE revocations SET version = 1 WHERE version IS NULL")
            .await;
        let verdict = published.look().await;
        assert_eq!(codes(&verdict), ["kv revocations_lacking", "pull revocations_lacking"]);
        assert!(verdict.findings[0].to_string().contains(&id));

        published.execute("DELETE FROM revocations WHERE name IN ('lost', 'a token')").await;
        let unexplained = ["kv entries_unexplained", "pull entries_unexplained"];
        assert_eq!(published.findings().await, unexplained);
    }

    async fn finds_a_cut_off_that_the_list_does_not_have(world) {
        let published = published(world).await;
        published
            .execute("UPDATE revocations SET before = before + 1 WHERE scope IN ('user', 'issuer')")
            .await;
        let verdict = published.look().await;
        assert_eq!(codes(&verdict), ["kv revocations_lacking", "pull revocations_lacking"]);
        assert!(verdict.findings[0].to_string().contains("lacks 2 of"), "{:?}", verdict.findings);
    }

    async fn what_is_over_need_not_be_in_the_list(world) {
        let published = published(world).await;
        // Sealed ones drop out after 3630 + 120 s, their rows an hour later.
        published.origin.advance_secs(3600);
        published.publish().await;
        assert_eq!(published.findings().await, [""; 0]);
        published.origin.advance_secs(160);
        published.publish().await;
        let verdict = published.look().await;
        assert_eq!(codes(&verdict), [""; 0]);
        assert_eq!(verdict.lanes[0].segments, 0);
    }

    async fn finds_a_database_that_knows_less_than_is_published(world) {
        let published = published(world).await;
        published
            .execute("DELETE FROM list_heads WHERE version = (SELECT MAX(version) FROM list_heads)")
            .await;
        published.execute("DELETE FROM list_segments").await;
        let found = published.findings().await;
        // Nor can the origin hand out a segment that it does not know.
        let found_in_kv = ["kv unknown_version", "kv unknown_segment"];
        assert_eq!(found, [&["pull segment_lacking"][..], &found_in_kv].concat());
    }

    async fn finds_two_heads_of_one_version(world) {
        let published = published(world).await;
        published
            .execute(
                "UPDATE list_heads SET head = 'another'
                 WHERE version = (SELECT MAX(version) FROM list_heads)",
            )
            .await;
        assert_eq!(published.findings().await, ["kv other_head", "pull other_head"]);
    }

    async fn tells_apart_why_a_lane_cannot_be_read(world) {
        let mut published = published(world).await;
        let wrong = published.look_with("not the secret of the edges").await;
        assert_eq!(codes(&wrong), ["pull pull_unauthorized"]);
        // Nobody listens there, and nobody else can begin to.
        let held = TcpSocket::new_v4().unwrap();
        held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        published.url = format!("http://{}", held.local_addr().unwrap()).parse().unwrap();
        assert_eq!(published.findings().await, ["pull pull_unreachable"]);
    }
}

/// The same head, signed by whoever has a key.
fn forged(published: &Published, message: &ListMessage) -> Vec<u8> {
    use base64::Engine;
    let payload = message.head.split('.').nth(1).unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .unwrap();
    let keys = published.origin.publisher.keys.token.all();
    let forged = ListMessage {
        head: keys[0]
            .sign(HEAD_TYP, std::str::from_utf8(&payload).unwrap())
            .unwrap(),
        ..message.clone()
    };
    forged.to_json().into_bytes()
}
