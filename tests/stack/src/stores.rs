//! The origin's stores: embedded, somebody's, or private servers for this stack alone.

use std::path::Path;

use crate::postgres::{Durability, Postgres};
use crate::redis::Redis;

/// Where the origin keeps its data.
#[derive(Debug, Clone)]
pub enum Stores {
    /// One SQLite file, no Redis.
    Embedded,
    /// Postgres and Redis; whichever URL is absent gets a private server.
    Servers {
        database_url: Option<String>,
        redis_url: Option<String>,
        durability: Durability,
    },
}

#[derive(Debug, Default)]
pub(crate) struct StartedStores {
    pub(crate) postgres: Option<Postgres>,
    pub(crate) redis: Option<Redis>,
    pub(crate) database_url: Option<String>,
    pub(crate) redis_url: Option<String>,
}

impl StartedStores {
    /// Starts what `stores` asks for; logs go into `logs`.
    pub(crate) async fn start(stores: &Stores, logs: &Path) -> anyhow::Result<Self> {
        let Stores::Servers {
            database_url,
            redis_url,
            durability,
        } = stores
        else {
            return Ok(Self::default());
        };
        let mut started = Self {
            database_url: database_url.clone(),
            redis_url: redis_url.clone(),
            ..Self::default()
        };
        if started.database_url.is_none() {
            let postgres = Postgres::start(logs, *durability).await?;
            started.database_url = Some(postgres.create_database("portcullis")?);
            started.postgres = Some(postgres);
        }
        if started.redis_url.is_none() {
            let redis = Redis::start(logs).await?;
            started.redis_url = Some(redis.url());
            started.redis = Some(redis);
        }
        Ok(started)
    }

    /// The database was there before us.
    pub(crate) fn is_foreign(&self) -> bool {
        self.database_url.is_some() && self.postgres.is_none()
    }
}
