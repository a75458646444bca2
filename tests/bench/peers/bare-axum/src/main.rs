//! The origin's hot routes as plain axum handlers: the usual store calls, and none of what makes the
//! origin safe. No limits, no audit log, no list, no metrics, no doubt about Redis. A floor to be
//! measured beside, never a server to be run.

mod failure;
mod passwords;
mod routes;
mod sessions;
mod tokens;

use std::env;
use std::sync::Arc;

use anyhow::Context;
use redis::aio::MultiplexedConnection;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;

use crate::tokens::Keys;

#[derive(Clone)]
struct App {
    pool: PgPool,
    redis: MultiplexedConnection,
    keys: Arc<Keys>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let variable = |name| env::var(name).with_context(|| format!("{name} is not set"));
    let pool = PgPoolOptions::new()
        .max_connections(variable("POOL_SIZE")?.parse()?)
        .connect(&variable("DATABASE_URL")?)
        .await?;
    let redis = redis::Client::open(variable("REDIS_URL")?)?
        .get_multiplexed_async_connection()
        .await?;
    let app = App {
        pool,
        redis,
        keys: Arc::new(Keys::generate()?),
    };
    let listener = TcpListener::bind(variable("LISTEN")?).await?;
    axum::serve(listener, routes::router(app)).await?;
    Ok(())
}
