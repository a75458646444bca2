//! Two doubles on loopback: an origin that does nothing but publish the list on the pull lane, and
//! Workers KV as workerd speaks to it (`GET /{key}`, 404 for a key that is not there). KV holds the
//! list and no `blacklist:` key: every live token is a miss, as in a deployment.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use shared::{ListMessage, UnixSeconds};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::bench::revoked_list::RevokedList;

const HEARTBEAT: Duration = Duration::from_secs(15);
const MAX_WAIT_SECS: u64 = 30;

#[derive(Clone)]
struct Doubles {
    list: Arc<RevokedList>,
    published: watch::Receiver<Published>,
}

#[derive(Clone)]
struct Published {
    version: u64,
    message: ListMessage,
}

#[derive(Deserialize)]
struct PullQuestion {
    after: u64,
    #[serde(default)]
    wait: u64,
}

pub(super) fn now() -> anyhow::Result<UnixSeconds> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(UnixSeconds::from_millis(u64::try_from(since.as_millis())?))
}

/// Serves on a free port until the runtime ends.
pub(super) async fn start(list: Arc<RevokedList>) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("no free port")?;
    let address = listener.local_addr()?;
    let (heads, published) = watch::channel(publish(&list)?);
    let router = Router::new()
        .route("/revocations/head", get(answer_pull))
        .route("/revocations/segments/{sha256}", get(answer_segment))
        .route("/{key}", get(answer_kv))
        .with_state(Doubles {
            list: Arc::clone(&list),
            published,
        });
    // Both end with the runtime; a Worker that misses them fails the run by a refusal.
    drop(tokio::spawn(
        async move { axum::serve(listener, router).await },
    ));
    drop(tokio::spawn(keep_publishing(list, heads)));
    Ok(address)
}

async fn keep_publishing(
    list: Arc<RevokedList>,
    heads: watch::Sender<Published>,
) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        heads.send(publish(&list)?)?;
    }
}

fn publish(list: &RevokedList) -> anyhow::Result<Published> {
    let now = now()?;
    Ok(Published {
        version: now.as_millis(),
        message: list.sign_message(now)?,
    })
}

async fn answer_pull(
    State(Doubles {
        list,
        mut published,
    }): State<Doubles>,
    Query(PullQuestion { after, wait }): Query<PullQuestion>,
) -> Response {
    let patience = Duration::from_secs(wait.min(MAX_WAIT_SECS));
    let newer = published.wait_for(|published| published.version > after);
    let Ok(Ok(newer)) = tokio::time::timeout(patience, newer).await else {
        return StatusCode::NO_CONTENT.into_response();
    };
    let mut message = newer.message.clone();
    if after > 0 {
        // The tail never changes here: whoever has any version has all of it.
        message.from = list.tail_bytes();
        message.tail.clear();
    }
    ([(CONTENT_TYPE, "application/json")], message.to_json()).into_response()
}

async fn answer_segment(
    State(doubles): State<Doubles>,
    Path(sha256): Path<String>,
) -> Result<Vec<u8>, StatusCode> {
    let bytes = doubles.list.find_segment(&sha256);
    bytes.map(<[u8]>::to_vec).ok_or(StatusCode::NOT_FOUND)
}

async fn answer_kv(
    State(doubles): State<Doubles>,
    Path(key): Path<String>,
) -> Result<Vec<u8>, StatusCode> {
    if key == shared::KV_HEAD_KEY {
        let message = doubles.published.borrow().message.to_json();
        return Ok(message.into_bytes());
    }
    let sha256 = key
        .strip_prefix(&shared::kv_segment_key(""))
        .ok_or(StatusCode::NOT_FOUND)?;
    let bytes = doubles.list.find_segment(sha256);
    bytes.map(<[u8]>::to_vec).ok_or(StatusCode::NOT_FOUND)
}
