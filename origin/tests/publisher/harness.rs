//! A database of its own for each test, and replicas of an origin on it, whose publishing steps the
//! test calls by hand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use origin::app::App;
use origin::clock::{Clock, SettableClock, SystemClock};
use origin::config::{Config, Settings};
use origin::publisher::publish_once::{Publication, publish_once};
use origin::publisher::{Publisher, start};
use origin::shutdown::Supervisor;
use origin::store::revocations::{self, NewRevocation, RevocationRow};
use shared::{Scope, UnixSeconds};
use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;
use tempfile::TempDir;

use crate::kv_double::KvDouble;

/// For what has to happen; a machine may be slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
pub(crate) const ISSUER: &str = "https://origin.example";
pub(crate) const EDGE_SECRET: &str = "the secret of an edge in a test";
const GIVEN_BY_XTASK: &str = "`cargo xtask test` starts Postgres and Redis and says where they are";
const TOKEN_LIFETIME_SECS: u64 = 3600;

/// Runs each test on both kinds of stores.
macro_rules! on_both_stores {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident) $body:block)*) => {$(
        $(#[$meta])*
        async fn $name($world: &crate::harness::World) $body

        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$name(&crate::harness::World::on_sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres_and_redis() {
                let world = crate::harness::World::on_postgres_and_redis().await;
                super::$name(&world).await;
                world.remove().await;
            }
        }
    )*};
}
pub(crate) use on_both_stores;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    settings: Settings,
}

/// The stores of one test, and a data folder that holds the keys of every replica.
pub(crate) struct World {
    data_dir: TempDir,
    pub(crate) database_url: String,
    redis_url: Option<String>,
    postgres: Option<(String, String)>,
    edge_secret: Option<&'static str>,
}

impl World {
    pub(crate) fn on_sqlite() -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let database_url = format!("sqlite:{}", data_dir.path().join("test.sqlite").display());
        Self {
            data_dir,
            database_url,
            redis_url: None,
            postgres: None,
            edge_secret: Some(EDGE_SECRET),
        }
    }

    /// Those that `cargo xtask test` started; without them the test fails.
    pub(crate) async fn on_postgres_and_redis() -> Self {
        let admin_url = std::env::var("TEST_DATABASE_URL").expect(GIVEN_BY_XTASK);
        let redis_url = std::env::var("TEST_REDIS_URL").expect(GIVEN_BY_XTASK);
        let name = format!(
            "test_{}",
            origin::random::new_id().unwrap().replace('-', "_")
        );
        run_as_admin(&admin_url, format!("CREATE DATABASE \"{name}\"")).await;
        let mut url = url::Url::parse(&admin_url).unwrap();
        url.set_path(&name);
        Self {
            data_dir: tempfile::tempdir().unwrap(),
            database_url: url.to_string(),
            redis_url: Some(redis_url),
            postgres: Some((admin_url, name)),
            edge_secret: Some(EDGE_SECRET),
        }
    }

    pub(crate) fn without_edge_secret(self) -> Self {
        Self {
            edge_secret: None,
            ..self
        }
    }

    /// The same stores for a replica that shares no folder with the others.
    pub(crate) fn with_another_folder(&self) -> Self {
        Self {
            data_dir: tempfile::tempdir().unwrap(),
            database_url: self.database_url.clone(),
            redis_url: self.redis_url.clone(),
            postgres: None,
            edge_secret: self.edge_secret,
        }
    }

    pub(crate) async fn remove(self) {
        if let Some((admin_url, name)) = self.postgres {
            run_as_admin(&admin_url, format!("DROP DATABASE \"{name}\" WITH (FORCE)")).await;
        }
    }

    /// A replica that was not started: it holds no lease.
    pub(crate) async fn replica(&self, name: &str) -> Replica {
        self.open(name, None, &[]).await
    }

    pub(crate) async fn replica_with_kv(&self, name: &str, kv: &KvDouble) -> Replica {
        self.open(name, Some(kv), &[]).await
    }

    /// A replica with settings besides those that every test has, as flags.
    pub(crate) async fn replica_with(&self, flags: &[&str]) -> Replica {
        self.open("first", None, flags).await
    }

    /// A replica that holds the lease and has published its first list.
    pub(crate) async fn publisher(&self) -> Replica {
        self.replica("first").await.started().await
    }

    async fn open(&self, name: &str, kv: Option<&KvDouble>, flags: &[&str]) -> Replica {
        let config = self.config(kv, flags);
        let keys = origin::keys::load_or_create(&config).unwrap();
        let clock = Arc::new(SettableClock::new(SystemClock.now()));
        let app = App::open(config, keys, clock.clone()).await.unwrap();
        origin::keys::follow::start(&app).await.unwrap();
        let publisher = Arc::new(Publisher::new(&app, app.pool.clone(), name.to_owned()).unwrap());
        Replica {
            app,
            publisher,
            clock,
        }
    }

    fn config(&self, kv: Option<&KvDouble>, flags: &[&str]) -> Config {
        let data_dir = self.data_dir.path().to_str().unwrap();
        let mut line = vec!["portcullis", "--data-dir", data_dir, "--issuer", ISSUER];
        line.extend(["--database-url", &self.database_url]);
        if let Some(url) = &self.redis_url {
            line.extend(["--redis-url", url]);
        }
        if let Some(secret) = self.edge_secret {
            line.extend(["--edge-secret", secret]);
        }
        let kv_url = kv.map(KvDouble::url);
        if let Some(url) = &kv_url {
            line.extend(["--kv-api-url", url, "--kv-namespace-id", "lists"]);
            line.extend(["--kv-api-token", "the token of a test"]);
        }
        line.extend(flags);
        CommandLine::parse_from(line).settings.validate().unwrap()
    }
}

async fn run_as_admin(url: &str, statement: String) {
    sqlx::any::install_default_drivers();
    let pool = AnyPoolOptions::new()
        .max_connections(1)
        .connect(url)
        .await
        .unwrap();
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .execute(&pool)
        .await
        .unwrap();
}

/// An origin on the stores of the test, with a clock of its own.
pub(crate) struct Replica {
    pub(crate) app: App,
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) clock: Arc<SettableClock>,
}

impl Replica {
    pub(crate) async fn started(self) -> Self {
        start(&self.publisher).await.unwrap();
        self
    }

    pub(crate) fn pool(&self) -> &AnyPool {
        &self.app.pool
    }

    pub(crate) fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    pub(crate) fn advance_secs(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
    }

    /// One publication at this replica's time.
    pub(crate) async fn publish(&self) -> Publication {
        publish_once(&self.publisher, self.now()).await.unwrap()
    }

    /// All tasks of the publisher, as `serve` runs them.
    pub(crate) fn run(&self) -> Supervisor {
        let mut supervisor = Supervisor::default();
        origin::publisher::spawn_tasks(&self.publisher, &self.app.config, &mut supervisor);
        supervisor
    }

    /// Records revocations of sessions, as a logout would, and wakes the publisher.
    pub(crate) async fn revoke_sessions(&self, names: &[String]) {
        let mut tx = origin::store::begin(self.pool()).await.unwrap();
        for name in names {
            let new = self.revocation(Scope::Session, name, None);
            revocations::insert(&mut tx, &new).await.unwrap();
        }
        tx.commit().await.unwrap();
        self.app.wake.notify_one();
    }

    pub(crate) async fn revoke(
        &self,
        scope: Scope,
        name: &str,
        before_secs: Option<u64>,
    ) -> String {
        let new = self.revocation(scope, name, before_secs);
        let mut tx = origin::store::begin(self.pool()).await.unwrap();
        revocations::insert(&mut tx, &new).await.unwrap();
        tx.commit().await.unwrap();
        self.app.wake.notify_one();
        new.id
    }

    fn revocation(&self, scope: Scope, name: &str, before_secs: Option<u64>) -> NewRevocation {
        NewRevocation {
            id: origin::random::new_id().unwrap(),
            scope,
            issuer: ISSUER.to_owned(),
            name: name.to_owned(),
            before_secs,
            reason: "a test".to_owned(),
            actor: "command-line".to_owned(),
            recorded_at: self.now(),
            retain_until: shared::retain_until(self.now().plus_secs(TOKEN_LIFETIME_SECS)),
        }
    }

    pub(crate) async fn find_revocation(&self, id: &str) -> RevocationRow {
        revocations::find(self.pool(), id).await.unwrap().unwrap()
    }

    /// The number that a statement answers with.
    pub(crate) async fn count(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }
}

pub(crate) fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{prefix}{number}"))
        .collect()
}

/// Polls until it is so; after [`PATIENCE`] the test fails.
pub(crate) async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "it never came to be");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
