//! A Postgres whose connections others have taken: an origin that gets none says so, soon, and serves
//! when there are some again.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::Value;
use sqlx::{AnyConnection, Connection, Executor};
use stack::Postgres;

use crate::portcullis::Portcullis;
use crate::world::{DATABASE, PATIENCE, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_without_a_connection_to_give_is_said_to_be_and_is_used_again() {
    let Some(world) = World::start().await else {
        return;
    };
    let tokens = world.tokens(8).await;
    let crowd = take_all_connections(&world.postgres).await;
    join_all(tokens[..4].iter().map(|token| {
        let request = world.client.post(world.serving.url("/logout"));
        world.is_refused(request.bearer_auth(token))
    }))
    .await;
    let finding = world.portcullis.finding("database");
    assert!(says_why(&finding["found"]), "{finding}");
    assert!(
        does_not_start(&world),
        "nobody can serve without a database"
    );
    drop(crowd);
    stack::until("it logs out again", PATIENCE, async || {
        Ok((world.log_out(&tokens[0]).await == Some(StatusCode::OK)).then_some(()))
    })
    .await
    .unwrap();
    world.log_outs_hold(&tokens[1..4], &tokens[4..]).await;
}

/// A second replica: it ends, and says why.
fn does_not_start(world: &World) -> bool {
    let url = world
        .postgres
        .url()
        .replace("/postgres", &format!("/{DATABASE}"));
    let replica = Portcullis::new().with("DATABASE_URL", url);
    let output = replica.run(&["serve"]);
    let said = String::from_utf8_lossy(&output.stderr);
    !output.status.success() && said.contains("DATABASE_URL") && says_why(&said.as_ref().into())
}

fn says_why(text: &Value) -> bool {
    let text = text.as_str().unwrap_or_default();
    text.contains("too many clients") || text.contains("connection slots are reserved")
}

/// All that the server has, and none left to the origin.
async fn take_all_connections(postgres: &Postgres) -> Vec<AnyConnection> {
    sqlx::any::install_default_drivers();
    let url = postgres.url();
    let mut held = vec![AnyConnection::connect(&url).await.unwrap()];
    let end_others = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}'"
    );
    let others = format!("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '{DATABASE}'");
    stack::until("nobody else is connected", PATIENCE, async || {
        let ended = sqlx::AssertSqlSafe(end_others.clone());
        held[0].execute(ended).await?;
        while let Ok(connection) = AnyConnection::connect(&url).await {
            held.push(connection);
        }
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(others.clone()));
        let count: i64 = count.fetch_one(&mut held[0]).await?;
        if count > 0 {
            return Ok(None);
        }
        // An attempt can have failed for one that was ending, and was gone before the count.
        let Ok(left) = AnyConnection::connect(&url).await else {
            return Ok(Some(()));
        };
        held.push(left);
        Ok(None)
    })
    .await
    .unwrap();
    held
}
