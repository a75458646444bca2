//! One of Redis's numbered databases for each test, emptied before use.

use std::sync::{LazyLock, Mutex};

use redis::aio::MultiplexedConnection;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Database 0 is left alone: it may be someone's.
const NUMBERS: std::ops::RangeInclusive<u8> = 1..=15;

static FREE: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(|| Mutex::new(NUMBERS.collect()));
static PLACES: Semaphore = Semaphore::const_new(15);

pub(crate) struct RedisDatabase {
    number: u8,
    connection: MultiplexedConnection,
    _place: SemaphorePermit<'static>,
}

impl RedisDatabase {
    pub(super) async fn take(url: &str) -> Self {
        let place = PLACES.acquire().await.unwrap();
        let number = FREE.lock().unwrap().pop().unwrap();
        let mut url = url::Url::parse(url).unwrap();
        url.set_path(&number.to_string());
        let client = redis::Client::open(url.as_str()).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        let database = Self {
            number,
            connection,
            _place: place,
        };
        database.flush().await;
        database
    }

    pub(super) fn number(&self) -> u8 {
        self.number
    }

    pub(crate) async fn flush(&self) {
        self.run::<()>(redis::cmd("FLUSHDB")).await;
    }

    pub(crate) async fn get(&self, key: &str) -> Option<String> {
        self.run(redis::cmd("GET").arg(key).clone()).await
    }

    pub(crate) async fn ttl_secs(&self, key: &str) -> i64 {
        self.run(redis::cmd("TTL").arg(key).clone()).await
    }

    pub(crate) async fn keys(&self) -> Vec<String> {
        self.run(redis::cmd("KEYS").arg("*").clone()).await
    }

    pub(crate) async fn run<T: redis::FromRedisValue>(&self, command: redis::Cmd) -> T {
        command
            .query_async(&mut self.connection.clone())
            .await
            .unwrap()
    }
}

impl Drop for RedisDatabase {
    fn drop(&mut self) {
        if let Ok(mut free) = FREE.lock() {
            free.push(self.number);
        }
    }
}
