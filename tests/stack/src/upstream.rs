//! A test upstream: answers every request with what it was sent, so that a test sees what the
//! Worker lets through.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// One request as the upstream saw it. Headers of one name are in the order of arrival.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Echo {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, Vec<String>>,
    pub body: String,
}

/// Serves on a free port for as long as this process lives; returns the URL.
pub fn start_echo() -> anyhow::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    // A runtime of its own, since a test's ends with the test.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::Builder::new()
        .name("upstream".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                axum::serve(listener, Router::new().fallback(echo)).await
            })
        })?;
    Ok(url)
}

async fn echo(request: Request) -> Result<Json<Echo>, StatusCode> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, MAX_BODY_BYTES)
        .await
        .map_err(|_too_large_or_cut_off| StatusCode::BAD_REQUEST)?;
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.to_string()).or_default().push(value);
    }
    Ok(Json(Echo {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers,
        body: String::from_utf8_lossy(&bytes).into_owned(),
    }))
}
