//! A test upstream: answers every request with what it was sent, so that a test sees what the
//! Worker lets through. Over a WebSocket it says that first, and then repeats whatever it hears.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Where the upstream tells which paths it was asked for so far, as an array; a public route of the
/// Worker's, so that tests ask through it.
pub const SEEN_PATH: &str = "/health/seen";

/// One request as the upstream saw it. Headers of one name are in the order of arrival.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Echo {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, Vec<String>>,
    pub body: String,
}

type Seen = Arc<Mutex<Vec<String>>>;

/// Serves on a free port for as long as this process lives; returns the URL.
pub fn start_echo() -> anyhow::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    // A runtime of its own, since a test's ends with the test.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let router = Router::new()
        .route(SEEN_PATH, get(tell_seen))
        .fallback(echo)
        .with_state(Seen::default());
    std::thread::Builder::new()
        .name("upstream".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                axum::serve(listener, router).await
            })
        })?;
    Ok(url)
}

async fn tell_seen(State(seen): State<Seen>) -> Json<Vec<String>> {
    Json(seen.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

async fn echo(State(seen): State<Seen>, request: Request) -> Result<Response, StatusCode> {
    let (mut parts, body) = request.into_parts();
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(parts.uri.path().to_owned());
    let bytes = axum::body::to_bytes(body, MAX_BODY_BYTES)
        .await
        .map_err(|_too_large_or_cut_off| StatusCode::BAD_REQUEST)?;
    let echo = Echo::of(&parts, &bytes);
    let upgrade: Result<_, WebSocketUpgradeRejection> =
        WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    Ok(match upgrade {
        Ok(upgrade) => upgrade.on_upgrade(|socket| async {
            // Whoever goes away in the middle is a test that has seen enough.
            drop(repeat(socket, echo).await);
        }),
        Err(_not_a_web_socket) => Json(echo).into_response(),
    })
}

async fn repeat(mut socket: WebSocket, echo: Echo) -> anyhow::Result<()> {
    let greeting = serde_json::to_string(&echo)?;
    socket.send(Message::Text(greeting.into())).await?;
    while let Some(message) = socket.recv().await {
        match message? {
            said @ (Message::Text(_) | Message::Binary(_)) => socket.send(said).await?,
            // The library answers these itself.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
    }
    Ok(())
}

impl Echo {
    fn of(parts: &Parts, body: &[u8]) -> Self {
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &parts.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.entry(name.to_string()).or_default().push(value);
        }
        Self {
            method: parts.method.to_string(),
            path: parts.uri.to_string(),
            headers,
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }
}
