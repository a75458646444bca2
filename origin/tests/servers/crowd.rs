//! A Postgres whose connections others have taken: an origin that gets none says so, soon, and serves
//! when there are some again.

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use reqwest::StatusCode;
use serde_json::Value;
use sqlx::{AnyConnection, Connection};

use crate::portcullis::Portcullis;
use crate::world::{DATABASE, PATIENCE, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_without_a_connection_to_give_is_said_to_be_and_is_used_again() {
    let world = World::start().await;
    let tokens = world.tokens(8).await;
    let crowd = take_all_connections(&world).await;
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

/// All that the server has, while the origin stands still and cannot take one back.
async fn take_all_connections(world: &World) -> Vec<AnyConnection> {
    sqlx::any::install_default_drivers();
    world.serving.signal(Signal::SIGSTOP);
    world.end_connections().await;
    let url = world.postgres.url();
    let mut held = vec![AnyConnection::connect(&url).await.unwrap()];
    let mut was_alone = false;
    stack::until("nobody else is connected", PATIENCE, async || {
        let before = held.len();
        while let Ok(connection) = AnyConnection::connect(&url).await {
            held.push(connection);
        }
        // An attempt can have failed for one that was ending: only the second in a row tells.
        if was_alone && held.len() == before {
            return Ok(Some(()));
        }
        let count = sqlx::query_scalar(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend'",
        );
        let count: i64 = count.fetch_one(&mut held[0]).await?;
        was_alone = usize::try_from(count)? == held.len();
        Ok(None)
    })
    .await
    .unwrap();
    world.serving.signal(Signal::SIGCONT);
    held
}
