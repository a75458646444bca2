//! An origin beside a Postgres and a Redis of its own, and what its users do.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use stack::{Durability, Postgres, Redis};
use tempfile::TempDir;

use crate::portcullis::{Portcullis, Serving};

/// For what has to happen; a machine may be slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// With a store that does not answer at all; what the origin itself allows is less.
const AN_ANSWER_MAY_TAKE: Duration = PATIENCE;
/// Eleven seconds are promised, the rest is for a machine that is slow; an origin that waited for each
/// of its statements gave up after forty.
const A_REFUSAL_MAY_TAKE: Duration = Duration::from_secs(35);
pub(crate) const PASSWORD: &str = "correct horse of a test";
pub(crate) const DATABASE: &str = "faults";

/// An origin on a Postgres and a Redis of its own.
pub(crate) struct World {
    pub(crate) postgres: Postgres,
    pub(crate) redis: Redis,
    pub(crate) portcullis: Portcullis,
    pub(crate) serving: Serving,
    pub(crate) client: Client,
    _logs: TempDir,
}

/// What a request came to; `None`: it broke off.
pub(crate) type Status = Option<StatusCode>;

impl World {
    pub(crate) async fn start() -> Self {
        let logs = TempDir::new().unwrap();
        let postgres = Postgres::start(logs.path(), Durability::Throwaway);
        let postgres = postgres.await.unwrap();
        let redis = Redis::start(logs.path()).await.unwrap();
        let portcullis = Portcullis::new()
            .with("DATABASE_URL", postgres.create_database(DATABASE).unwrap())
            .with("REDIS_URL", redis.url());
        let serving = portcullis.serve();
        let client = Client::builder().timeout(AN_ANSWER_MAY_TAKE).build();
        let world = Self {
            postgres,
            redis,
            portcullis,
            serving,
            client: client.unwrap(),
            _logs: logs,
        };
        let ada = world.client.post(world.serving.url("/register"));
        let ada = ada.json(&json!({"email": "ada@example.org", "password": PASSWORD}));
        assert_eq!(ada.send().await.unwrap().status(), 201);
        world.wait_until_redis_is_believed().await;
        world
    }

    /// As many sessions of one user.
    pub(crate) async fn tokens(&self, count: usize) -> Vec<String> {
        let log_in = async || {
            let login = self.client.post(self.serving.url("/login"));
            let login = login.json(&json!({"email": "ada@example.org", "password": PASSWORD}));
            let answer: Value = login.send().await.unwrap().json().await.unwrap();
            answer["access_token"].as_str().unwrap().to_owned()
        };
        join_all((0..count).map(|_| log_in())).await
    }

    pub(crate) async fn try_log_in(&self) -> Status {
        let login = self.client.post(self.serving.url("/login"));
        let login = login.json(&json!({"email": "ada@example.org", "password": PASSWORD}));
        Some(login.send().await.ok()?.status())
    }

    pub(crate) async fn log_out(&self, token: &str) -> Status {
        let request = self.client.post(self.serving.url("/logout"));
        let answer = request.bearer_auth(token).send().await.ok()?;
        Some(answer.status())
    }

    /// While nobody at the database answers: refused, for that reason, with a time to try again at.
    pub(crate) async fn is_refused(&self, request: RequestBuilder) {
        let answer = request.timeout(A_REFUSAL_MAY_TAKE).send().await;
        let answer = answer.expect("an answer in time");
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key("retry-after"), "{answer:?}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["code"], "store_unavailable", "{body}");
    }

    pub(crate) async fn me(&self, token: &str) -> Status {
        let request = self.client.get(self.serving.url("/me"));
        let answer = request.bearer_auth(token).send().await.ok()?;
        Some(answer.status())
    }

    /// Asks the database, whatever Redis knows.
    pub(crate) async fn sessions(&self, token: &str) {
        let request = self.client.get(self.serving.url("/sessions"));
        // What it is told does not matter here.
        let _ = request.bearer_auth(token).send().await;
    }

    pub(crate) async fn wait_until_redis_is_believed(&self) {
        stack::until("Redis is complete and connected", PATIENCE, async || {
            let marker = self.redis.command(&["GET", "portcullis:complete"])?;
            let metrics = self.client.get(self.serving.url("/metrics"));
            let metrics = metrics.send().await?.text().await?;
            let connected = metrics.contains("portcullis_redis_connected 1");
            Ok((connected && !marker.is_empty()).then_some(()))
        })
        .await
        .unwrap();
    }

    /// Logging out works, and is heard at once, whatever Redis does.
    pub(crate) async fn log_outs_hold(&self, out: &[String], still_in: &[String]) {
        for token in out {
            assert_eq!(self.log_out(token).await, Some(StatusCode::OK));
            assert_eq!(self.me(token).await, Some(StatusCode::UNAUTHORIZED));
        }
        for token in still_in {
            assert_eq!(self.me(token).await, Some(StatusCode::OK));
        }
    }

    /// Those that are open now, and not before all of them have ended.
    pub(crate) async fn end_connections(&self) {
        let found = format!("FROM pg_stat_activity WHERE datname = '{DATABASE}'");
        let ask = |statement: &str| self.postgres.query("postgres", statement);
        let ids = ask(&format!("SELECT pid, pg_terminate_backend(pid) {found}")).unwrap();
        let ids: Vec<&str> = ids
            .lines()
            .filter_map(|row| row.split('|').next())
            .collect();
        stack::until("the connections end", PATIENCE, async || {
            let left = ask(&format!("SELECT pid {found}"))?;
            let has_ended = left.lines().all(|id| !ids.contains(&id));
            Ok(has_ended.then_some(()))
        })
        .await
        .unwrap();
    }
}
