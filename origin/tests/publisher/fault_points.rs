//! Origins as processes on Postgres, killed in each gap between two steps of publishing, alone and
//! beside a rival: nothing is lost, no version goes back, and no version has two heads.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use origin::fault::Gap;
use origin::publisher::next_list::build_segment;
use origin::store;
use shared::{
    Entry, KV_HEAD_KEY, ListError, ListMessage, MAX_TAIL_BYTES, SessionId, UnixSeconds,
    UnverifiedHead,
};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::edge::Edge;
use crate::harness::{ISSUER, Replica, World, names};
use crate::kv_double::KvDouble;

/// A dead holder is replaced after ten seconds; a machine may be slow.
const PATIENCE: Duration = Duration::from_mins(3);
/// Scenarios that run side by side: most of their time is a wait for a lease to lapse.
const AT_ONCE: usize = 6;
const A_TAIL_AND_MORE: usize = MAX_TAIL_BYTES / 9 + 100;
/// As many as are merged into one.
const SEGMENTS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_any_gap_and_started_again_it_goes_on_where_it_was() {
    for_every_gap(async |scene, gap| {
        scene.add_what_crosses(gap).await;
        scene.arm(gap, "one");
        let mut dying = Origin::start(&mut scene.command("one"));
        dying.wait_until_it_dies(gap).await;
        scene.disarm("one");
        let _again = scene.serve("one").await;
        scene.wait_until_all_is_out().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_any_gap_beside_a_rival_it_is_replaced_and_comes_back() {
    for_every_gap(async |scene, gap| {
        let mut holder = scene.serve("one").await;
        let mut candidate = scene.serve("two").await;
        let dead = if gap == Gap::LeaseTaken {
            // Only whoever takes over crosses it.
            scene.arm(gap, "two");
            holder.kill().await;
            candidate.wait_until_it_dies(gap).await;
            holder = scene.serve("one").await;
            "two"
        } else {
            scene.arm(gap, "one");
            scene.add_what_crosses(gap).await;
            holder.wait_until_it_dies(gap).await;
            "one"
        };
        scene.disarm(dead);
        scene.add_few("while one lives").await;
        scene.wait_until_all_is_out().await;
        let again = scene.serve(dead).await;
        scene.add_few("in the end").await;
        scene.wait_until_all_is_out().await;
        drop((holder, candidate, again));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_are_killed_again_and_again_publish_one_history() {
    let scene = Scene::new().await;
    let mut rivals = [scene.serve("one").await, scene.serve("two").await];
    for round in 0..8_usize {
        scene.add_few(&format!("{round}")).await;
        // Another moment of publishing each time.
        tokio::time::sleep(Duration::from_millis(37 * round as u64)).await;
        let name = ["one", "two"][round % 2];
        rivals[round % 2].kill().await;
        rivals[round % 2] = scene.serve(name).await;
    }
    scene.wait_until_all_is_out().await;
    scene.check_history().await;
    drop(rivals);
    scene.world.remove().await;
}

/// Plays the scenario once for every gap, each on a database of its own.
async fn for_every_gap(play: impl AsyncFn(&Scene, Gap)) {
    stream::iter(Gap::ALL)
        .for_each_concurrent(AT_ONCE, async |gap| {
            let scene = Scene::new().await;
            play(&scene, *gap).await;
            scene.check_history().await;
            scene.world.remove().await;
        })
        .await;
}

/// A database, a KV, and what was revoked so far.
struct Scene {
    world: World,
    kv: KvDouble,
    /// Never started: it reads and writes the database for the test.
    hand: Replica,
    folder: PathBuf,
    revoked: std::sync::Mutex<Vec<String>>,
}

impl Scene {
    async fn new() -> Self {
        let world = World::on_postgres_and_redis().await;
        let kv = KvDouble::start().await;
        let hand = world.replica_with_kv("hand", &kv).await;
        let folder = hand.app.config.stores.data_dir.clone();
        Self {
            world,
            kv,
            hand,
            folder,
            revoked: std::sync::Mutex::default(),
        }
    }

    /// An origin that serves, in a process of its own.
    async fn serve(&self, name: &str) -> Origin {
        let mut origin = Origin::start(&mut self.command(name));
        origin.wait_until_it_serves().await;
        origin
    }

    /// A replica of this name: it shares the keys, and gets its own lease back after a crash.
    fn command(&self, name: &str) -> Command {
        let data_dir = self.folder.join(name);
        std::fs::create_dir_all(&data_dir).unwrap();
        for entry in std::fs::read_dir(&self.folder).unwrap() {
            let key = entry.unwrap().path();
            if key.extension().is_some_and(|extension| extension == "pem") {
                std::fs::copy(&key, data_dir.join(key.file_name().unwrap())).unwrap();
            }
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command
            .env_clear()
            .env("PORTCULLIS_DATA_DIR", &data_dir)
            .env("PORTCULLIS_LISTEN", "127.0.0.1:0")
            .env("PORTCULLIS_ISSUER", ISSUER)
            .env("DATABASE_URL", &self.world.database_url)
            .env("PORTCULLIS_KV_API_URL", self.kv.url())
            .env("PORTCULLIS_KV_NAMESPACE_ID", "lists")
            .env("PORTCULLIS_HEARTBEAT_SECS", "1")
            // In the end an edge takes every list that there was: none may be dead by then.
            .env("PORTCULLIS_LIST_LIFETIME_SECS", "7200")
            .env("PORTCULLIS_FAULT_FILE", self.fault_file(name));
        command
    }

    fn fault_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.fault"))
    }

    fn arm(&self, gap: Gap, name: &str) {
        std::fs::write(self.fault_file(name), gap.name()).unwrap();
    }

    fn disarm(&self, name: &str) {
        std::fs::remove_file(self.fault_file(name)).unwrap();
    }

    async fn add_few(&self, prefix: &str) {
        let sessions = names(prefix, 3);
        self.hand.revoke_sessions(&sessions).await;
        self.revoked.lock().unwrap().extend(sessions);
    }

    /// Something to do for every step; for the sealing of a tail so many that one is full.
    async fn add_what_crosses(&self, gap: Gap) {
        for (age, some) in names("sealed", SEGMENTS).chunks(1).enumerate() {
            self.store_segment(some, age as u64).await;
            self.revoked.lock().unwrap().extend_from_slice(some);
        }
        let count = if gap == Gap::SegmentsSaved {
            A_TAIL_AND_MORE
        } else {
            3
        };
        let sessions = names("first", count);
        self.hand.revoke_sessions(&sessions).await;
        self.revoked.lock().unwrap().extend(sessions);
    }

    /// A sealed segment, as if an earlier publication had left it there.
    async fn store_segment(&self, sessions: &[String], age: u64) {
        let entries: Vec<Entry> = sessions
            .iter()
            .map(|name| Entry::session(ISSUER, &SessionId::parse(name).unwrap()))
            .collect();
        let now = self.hand.now().minus_secs(age);
        let segment = build_segment(&entries, 0, now.plus_secs(3630), now).unwrap();
        let mut tx = store::begin(self.hand.pool()).await.unwrap();
        store::segments::insert(&mut tx, &segment).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Until an edge that only reads KV knows everything that was revoked.
    async fn wait_until_all_is_out(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.edge_knows_all().await {
            assert!(Instant::now() < deadline, "something never came to KV");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn edge_knows_all(&self) -> bool {
        let Some(message) = self.kv.value(KV_HEAD_KEY) else {
            return false;
        };
        let mut edge = Edge::of(&self.hand);
        edge.take(&message, now()).await.unwrap();
        let revoked = self.revoked.lock().unwrap();
        edge.knows_sessions(&revoked)
    }

    /// Every head that KV was ever given, in order: an edge that takes each keeps going forward.
    async fn check_history(&self) {
        let mut edge = Edge::of(&self.hand);
        let mut heads = self.stored_heads().await;
        for put in self.kv.puts().iter().filter(|put| put.key == KV_HEAD_KEY) {
            let message = ListMessage::parse(&put.value).unwrap();
            let version = version_of(&message.head);
            let stored = heads.entry(version).or_insert_with(|| message.head.clone());
            assert_eq!(*stored, message.head, "two heads of version {version}");
            match edge.take(&put.value, now()).await {
                Ok(()) | Err(ListError::NotNewer) => {}
                Err(error) => panic!("{error}"),
            }
            assert_eq!(edge.version(), version, "KV went back");
        }
    }

    async fn stored_heads(&self) -> BTreeMap<u64, String> {
        let heads: Vec<(i64, String)> =
            sqlx::query_as("SELECT version, head FROM list_heads WHERE head <> ''")
                .fetch_all(self.hand.pool())
                .await
                .unwrap();
        let heads = heads.into_iter();
        heads
            .map(|(version, head)| (version.cast_unsigned(), head))
            .collect()
    }
}

fn version_of(head: &str) -> u64 {
    use base64::Engine;
    UnverifiedHead::parse(head).unwrap();
    let payload = head.split('.').nth(1).unwrap();
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .unwrap();
    serde_json::from_slice::<serde_json::Value>(&json).unwrap()["ver"]
        .as_u64()
        .unwrap()
}

fn now() -> UnixSeconds {
    use origin::clock::{Clock, SystemClock};
    SystemClock.now()
}

/// A process that ends with the test, if not before.
struct Origin {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
}

impl Origin {
    fn start(command: &mut Command) -> Self {
        let command = command.arg("serve").stderr(Stdio::piped());
        let mut process = command.kill_on_drop(true).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap()).lines();
        Self { process, log }
    }

    async fn wait_until_it_serves(&mut self) {
        self.wait_until_it_says("listening on ").await;
    }

    /// In that gap and no other. What is never crossed is a gap that nobody tests.
    async fn wait_until_it_dies(&mut self, gap: Gap) {
        self.wait_until_it_says(&format!("dies after {}", gap.name()))
            .await;
        self.process.wait().await.unwrap();
    }

    async fn wait_until_it_says(&mut self, words: &str) {
        let listen = async {
            while let Some(line) = self.log.next_line().await.unwrap() {
                if line.contains(words) {
                    return;
                }
            }
            panic!("it ended and never said {words:?}");
        };
        let heard = tokio::time::timeout(PATIENCE, listen).await;
        assert!(heard.is_ok(), "it never says {words:?}");
    }

    async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }
}
