//! One origin for one test: its own database, its own part of Redis, a clock that the test sets, and
//! the router called in process.

mod answer;
mod mailbox;
mod proxy;
mod redis_databases;
mod smtp_server;
mod stores;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use clap::Parser;
use origin::accounts::{OPERATOR, Registration, register};
use origin::app::App;
use origin::clock::{Clock, SettableClock, SystemClock};
use origin::config::{Config, Settings};
use origin::extract::secret_hash;
use origin::grant_type::GrantType;
use origin::publisher::{self, Publisher};
use origin::router::router;
use origin::store::clients::{self, Client};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tower::ServiceExt;

pub(crate) use answer::Answer;
pub(crate) use smtp_server::SmtpServer;
pub(crate) use stores::Stores;

/// For what has to happen; a machine may be slow.
const PATIENCE: Duration = Duration::from_secs(90);
/// A machine that is busy with other tests is no Redis that is away.
pub(crate) const REDIS_TIMEOUT: Duration = Duration::from_secs(2);
pub(crate) const PASSWORD: &str = "correct horse of a test";
pub(crate) const EDGE_SECRET: &str = "the secret of an edge in a test";
pub(crate) const CLIENT_SECRET: &str = "the secret of a client";

pub(crate) struct Origin {
    pub(crate) app: App,
    pub(crate) clock: Arc<SettableClock>,
    pub(crate) stores: Arc<Stores>,
    router: Router,
    data_dir: Arc<tempfile::TempDir>,
    keeper: Option<tokio::task::JoinHandle<std::convert::Infallible>>,
}

/// Runs each test on both kinds of stores, with the flags that stand behind `with`, if any.
macro_rules! on_both_stores {
    (with $flags:expr; $($(#[$meta:meta])* async fn $name:ident($origin:ident) $body:block)*) => {$(
        $(#[$meta])*
        async fn $name($origin: &crate::harness::Origin) $body

        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let test = async |origin| super::$name(&origin).await;
                crate::harness::with_sqlite_and(&$flags, test).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres_and_redis() {
                let test = async |origin| super::$name(&origin).await;
                crate::harness::with_postgres_and_redis_and(&$flags, test).await;
            }
        }
    )*};
    ($($(#[$meta:meta])* async fn $name:ident $origin:tt $body:block)*) => {
        crate::harness::on_both_stores! {
            with []; $($(#[$meta])* async fn $name $origin $body)*
        }
    };
}
pub(crate) use on_both_stores;

/// Both stores must give this one text; insta would take the second for a loop.
macro_rules! assert_text {
    ($text:expr, @$snapshot:literal) => {{
        let text = $text;
        insta::allow_duplicates! { insta::assert_snapshot!(text, @$snapshot) }
    }};
}
pub(crate) use assert_text;

/// The whole of what a client can tell from a refusal.
macro_rules! assert_denial {
    ($answer:expr, @$snapshot:literal) => {
        crate::harness::assert_text!($answer.denial(), @$snapshot)
    };
}
pub(crate) use assert_denial;

/// The same, of an OAuth endpoint.
macro_rules! assert_oauth_denial {
    ($answer:expr, @$snapshot:literal) => {
        crate::harness::assert_text!($answer.oauth_denial(), @$snapshot)
    };
}
pub(crate) use assert_oauth_denial;

pub(crate) async fn with_sqlite(test: impl AsyncFnOnce(Origin)) {
    with_sqlite_and(&[], test).await;
}

/// With settings besides those that every test has, as flags.
pub(crate) async fn with_sqlite_and(flags: &[&str], test: impl AsyncFnOnce(Origin)) {
    let data_dir = tempfile::tempdir().unwrap();
    let stores = Stores::sqlite(data_dir.path());
    test(Origin::start(stores, data_dir, flags).await).await;
}

pub(crate) async fn with_postgres_and_redis(test: impl AsyncFnOnce(Origin)) {
    with_postgres_and_redis_and(&[], test).await;
}

/// As [`with_sqlite_and`].
pub(crate) async fn with_postgres_and_redis_and(flags: &[&str], test: impl AsyncFnOnce(Origin)) {
    let stores = Stores::postgres_and_redis().await;
    let database = stores.database_name().to_owned();
    let admin_url = stores.admin_url().to_owned();
    test(Origin::start(stores, tempfile::tempdir().unwrap(), flags).await).await;
    stores::drop_database(&admin_url, &database).await;
}

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    settings: Settings,
}

impl Origin {
    async fn start(stores: Stores, data_dir: tempfile::TempDir, flags: &[&str]) -> Self {
        let clock = Arc::new(SettableClock::new(SystemClock.now()));
        Self::open(Arc::new(stores), Arc::new(data_dir), clock, flags).await
    }

    /// Another origin on the same stores, with the same keys and the same clock.
    pub(crate) async fn replica(&self) -> Self {
        let (stores, data_dir) = (Arc::clone(&self.stores), Arc::clone(&self.data_dir));
        Self::open(stores, data_dir, Arc::clone(&self.clock), &[]).await
    }

    async fn open(
        stores: Arc<Stores>,
        data_dir: Arc<tempfile::TempDir>,
        clock: Arc<SettableClock>,
        flags: &[&str],
    ) -> Self {
        let config = config(&stores, data_dir.path(), flags);
        let keys = origin::keys::load_or_create(&config).unwrap();
        let app = App::open(config, keys, clock.clone()).await.unwrap();
        origin::keys::follow::start(&app).await.unwrap();
        let keeper = app
            .cache
            .clone()
            .map(|cache| tokio::spawn(origin::cache::keep_complete(app.clone(), cache)));
        let origin = Self {
            router: router(app.clone()),
            app,
            clock,
            stores,
            data_dir,
            keeper,
        };
        origin.wait_for_redis().await;
        origin
    }

    /// Until Redis is complete and this origin is connected to it, if there is one.
    pub(crate) async fn wait_for_redis(&self) {
        if let Some(cache) = &self.app.cache {
            eventually(async || {
                let complete = self.stores.redis_get("portcullis:complete").await;
                complete.is_some() && cache.is_connected()
            })
            .await;
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header(CONTENT_TYPE, "application/json");
        self.send(request.body(body.to_string().into()).unwrap())
            .await
    }

    pub(crate) async fn post_raw(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).header(CONTENT_TYPE, "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn post_as(&self, path: &str, token: &str) -> Answer {
        self.send(with_token(Request::post(path), token)).await
    }

    pub(crate) async fn post_json_as(&self, path: &str, token: &str, body: &Value) -> Answer {
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(body.to_string().into()).unwrap())
            .await
    }

    pub(crate) async fn get_as(&self, path: &str, token: &str) -> Answer {
        self.send(with_token(Request::get(path), token)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// A form, by a client that authenticates itself with `client_secret_basic`.
    pub(crate) async fn post_form(
        &self,
        path: &str,
        client: Option<(&str, &str)>,
        form: &[(&str, &str)],
    ) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let mut request =
            Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some((id, secret)) = client {
            use base64::Engine;
            let encoded =
                base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
            request = request.header(AUTHORIZATION, format!("Basic {encoded}"));
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn register(&self, email: &str) -> String {
        let answer = self
            .post("/register", &json!({"email": email, "password": PASSWORD}))
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.text("id")
    }

    pub(crate) async fn try_log_in(&self, email: &str) -> Answer {
        self.log_in_with(email, PASSWORD).await
    }

    pub(crate) async fn log_in_with(&self, email: &str, password: &str) -> Answer {
        self.post("/login", &json!({"email": email, "password": password}))
            .await
    }

    pub(crate) async fn log_in(&self, email: &str) -> Tokens {
        Tokens::from(&self.try_log_in(email).await)
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Answer {
        self.post("/refresh", &json!({"refresh_token": refresh_token}))
            .await
    }

    /// A registered user, logged in.
    pub(crate) async fn user(&self, email: &str) -> Tokens {
        self.register(email).await;
        self.log_in(email).await
    }

    /// A logged-in operator.
    pub(crate) async fn operator(&self, email: &str) -> Tokens {
        let registration = Registration {
            email,
            password: &PASSWORD.into(),
            name: None,
            roles: &[OPERATOR.to_owned()],
            actor: None,
            address: None,
        };
        register(&self.app, &registration).await.unwrap();
        self.log_in(email).await
    }

    /// Publishes the first list, or the next.
    pub(crate) async fn publish(&self) {
        let (pool, replica) = (self.app.pool.clone(), "replica".to_owned());
        let publisher = Publisher::new(&self.app, pool, replica).unwrap();
        publisher::start(&publisher).await.unwrap();
    }

    /// A client with this id; its secret is [`CLIENT_SECRET`].
    pub(crate) async fn client(&self, id: &str, grants: &[&str]) {
        self.insert_client(id, grants, false).await;
    }

    pub(crate) async fn client_with_secret(&self, id: &str, secret: &str, grants: &[&str]) {
        self.insert(&client(id, secret, grants)).await;
    }

    pub(crate) async fn insert_client(&self, id: &str, grants: &[&str], may_introspect_all: bool) {
        self.insert(&Client {
            may_introspect_all,
            ..client(id, CLIENT_SECRET, grants)
        })
        .await;
    }

    async fn insert(&self, client: &Client) {
        let mut tx = origin::store::begin(&self.app.pool).await.unwrap();
        clients::insert(&mut tx, client, self.clock.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// The password grant, by that client.
    pub(crate) async fn token_by_password(&self, client: &str, email: &str) -> Answer {
        let form = [
            ("grant_type", "password"),
            ("username", email),
            ("password", PASSWORD),
        ];
        self.post_form("/token", Some((client, CLIENT_SECRET)), &form)
            .await
    }

    /// As if nobody had tried anything before.
    pub(crate) async fn forget_limits(&self) {
        sqlx::query("DELETE FROM limits")
            .execute(&self.app.pool)
            .await
            .unwrap();
        let Some(redis) = self.stores.redis() else {
            return;
        };
        let keys = redis.keys().await;
        for key in keys.iter().filter(|key| key.starts_with("limit:")) {
            redis.run::<()>(redis::cmd("DEL").arg(key).clone()).await;
        }
    }

    /// The second of a cut-off begins, and another: log-ins need not wait.
    pub(crate) fn pass_cut_off(&self) {
        self.advance(Duration::from_secs(2));
    }

    /// Until so many have begun to wait for a later time of the test's clock.
    pub(crate) async fn wait_for_waiters(&self, count: usize) {
        eventually(async || self.clock.waiters() >= count).await;
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        if let Some(keeper) = &self.keeper {
            keeper.abort();
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl From<&Answer> for Tokens {
    fn from(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{answer:?}");
        Self {
            access: answer.text("access_token"),
            refresh: answer.text("refresh_token"),
        }
    }
}

fn client(id: &str, secret: &str, grants: &[&str]) -> Client {
    let grants = grants.iter().map(|name| GrantType::parse(name).unwrap());
    Client {
        id: id.to_owned(),
        secret_hash: secret_hash(secret),
        grants: grants.collect(),
        scopes: vec!["profile".to_owned(), "operator".to_owned()],
        may_introspect_all: false,
    }
}

/// The claims of a token of ours, not verified.
pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine;
    let payload = token.split('.').nth(1).unwrap();
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// Polls until it is so; after [`PATIENCE`] the test fails.
pub(crate) async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "it never came to be");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A transaction that holds others up does so for as long as their steps take.
pub(crate) async fn may_lie_idle(tx: &mut sqlx::AnyConnection) {
    sqlx::query("SET LOCAL idle_in_transaction_session_timeout = 0")
        .execute(tx)
        .await
        .unwrap();
}

/// An address at which connections are refused for as long as the socket is held: nobody else can
/// begin to listen there meanwhile.
pub(crate) fn nobody_listens() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// By an operator.
pub(crate) async fn revoke(origin: &Origin, operator: &Tokens, body: &Value) -> Answer {
    let answer = origin.post_json_as("/admin/revocations", &operator.access, body);
    let answer = answer.await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

fn with_token(request: axum::http::request::Builder, token: &str) -> Request<Body> {
    request
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap()
}

fn config(stores: &Stores, data_dir: &std::path::Path, flags: &[&str]) -> Config {
    let data_dir = data_dir.to_str().unwrap();
    let mut line = vec![
        "portcullis",
        "--data-dir",
        data_dir,
        "--database-url",
        stores.database_url(),
        "--edge-secret",
        EDGE_SECRET,
    ];
    let redis_timeout = REDIS_TIMEOUT.as_millis().to_string();
    if let Some(url) = stores.redis_url() {
        line.extend(["--redis-url", url, "--redis-timeout-ms", &redis_timeout]);
    }
    if !flags.iter().any(|flag| flag.starts_with("--issuer")) {
        line.push("--issuer=https://origin.example");
    }
    line.extend(flags);
    CommandLine::parse_from(line).settings.validate().unwrap()
}
