//! The stores of one test. Postgres is reached through a proxy, and so is Redis: a test can cut
//! either off without touching the server, which others use.

use std::path::Path;

use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;
use url::Url;

use super::proxy::Proxy;
use super::redis_databases::RedisDatabase;

const GIVEN_BY_XTASK: &str = "`cargo xtask test` starts Postgres and Redis and says where they are";

pub(crate) struct Stores {
    database_url: String,
    postgres: Option<Postgres>,
}

struct Postgres {
    admin_url: String,
    database: String,
    proxy: Proxy,
    redis: RedisDatabase,
    redis_proxy: Proxy,
    redis_url: String,
}

impl Stores {
    pub(super) fn sqlite(data_dir: &Path) -> Self {
        let file = data_dir.join("test.sqlite");
        Self {
            database_url: format!("sqlite:{}", file.display()),
            postgres: None,
        }
    }

    /// Those that `cargo xtask test` started; without them the test fails.
    pub(super) async fn postgres_and_redis() -> Self {
        let admin_url = std::env::var("TEST_DATABASE_URL").expect(GIVEN_BY_XTASK);
        let redis_url = std::env::var("TEST_REDIS_URL").expect(GIVEN_BY_XTASK);
        let database = format!(
            "test_{}",
            origin::random::new_id().unwrap().replace('-', "_")
        );
        create_database(&admin_url, &database).await;
        let (mut url, proxy) = through_proxy(&admin_url).await;
        url.set_path(&database);
        let redis = RedisDatabase::take(&redis_url).await;
        let (mut proxied, redis_proxy) = through_proxy(&redis_url).await;
        proxied.set_path(&redis.number().to_string());
        Self {
            database_url: url.to_string(),
            postgres: Some(Postgres {
                admin_url,
                database,
                proxy,
                redis,
                redis_proxy,
                redis_url: proxied.to_string(),
            }),
        }
    }

    pub(crate) fn database_url(&self) -> &str {
        &self.database_url
    }

    pub(crate) fn redis_url(&self) -> Option<&str> {
        self.postgres.as_ref().map(|there| there.redis_url.as_str())
    }

    pub(super) fn database_name(&self) -> &str {
        &self.postgres.as_ref().unwrap().database
    }

    pub(super) fn admin_url(&self) -> &str {
        &self.postgres.as_ref().unwrap().admin_url
    }

    pub(crate) fn database_proxy(&self) -> Option<&Proxy> {
        self.postgres.as_ref().map(|there| &there.proxy)
    }

    pub(crate) fn redis_proxy(&self) -> Option<&Proxy> {
        self.postgres.as_ref().map(|there| &there.redis_proxy)
    }

    pub(crate) fn redis(&self) -> Option<&RedisDatabase> {
        self.postgres.as_ref().map(|there| &there.redis)
    }

    pub(crate) async fn redis_get(&self, key: &str) -> Option<String> {
        self.redis()?.get(key).await
    }
}

async fn create_database(admin_url: &str, name: &str) {
    let statement = format!("CREATE DATABASE \"{name}\"");
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .execute(&admin(admin_url).await)
        .await
        .unwrap();
}

pub(super) async fn drop_database(admin_url: &str, name: &str) {
    let statement = format!("DROP DATABASE \"{name}\" WITH (FORCE)");
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .execute(&admin(admin_url).await)
        .await
        .unwrap();
}

async fn admin(url: &str) -> AnyPool {
    sqlx::any::install_default_drivers();
    AnyPoolOptions::new()
        .max_connections(1)
        .connect(url)
        .await
        .unwrap()
}

async fn through_proxy(url: &str) -> (Url, Proxy) {
    let mut url = Url::parse(url).unwrap();
    let default_port = if url.scheme() == "redis" { 6379 } else { 5432 };
    let target = format!(
        "{}:{}",
        url.host_str().unwrap(),
        url.port().unwrap_or(default_port)
    );
    let proxy = Proxy::start(target).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.port())).unwrap();
    (url, proxy)
}
