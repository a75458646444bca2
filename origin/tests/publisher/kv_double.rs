//! A double of Cloudflare's KV API: it keeps values in memory, and misbehaves when told to.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::json;
use tokio::task::JoinHandle;

/// How the double answers a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Status(u16),
    /// 200, and a body that is no answer of the API.
    Garbage,
    /// 200 with `success: false`.
    Refusal,
    /// 200 as if all were well, and nothing is stored.
    Forgetful,
    /// No answer at all.
    Silent,
}

#[derive(Debug, Clone)]
pub(crate) struct Put {
    pub(crate) key: String,
    pub(crate) value: Vec<u8>,
    pub(crate) authorization: String,
    pub(crate) expiration_ttl: Option<u64>,
}

#[derive(Default)]
struct Kept {
    values: HashMap<String, Vec<u8>>,
    puts: Vec<Put>,
    moods: VecDeque<Mood>,
    lasting_mood: Option<Mood>,
}

type Shared = Arc<Mutex<Kept>>;

pub(crate) struct KvDouble {
    kept: Shared,
    port: u16,
    server: JoinHandle<()>,
}

impl KvDouble {
    pub(crate) async fn start() -> Self {
        let kept = Shared::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let routes = Router::new()
            .route(
                "/base/storage/kv/namespaces/lists/values/{key}",
                put(put_value).get(get_value),
            )
            .route("/base/storage/kv/namespaces/lists/keys", get(get_keys))
            .with_state(Arc::clone(&kept));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { kept, port, server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/base/", self.port)
    }

    /// The next puts are answered like this, one each; then well again.
    pub(crate) fn will_be(&self, moods: &[Mood]) {
        self.kept.lock().unwrap().moods.extend(moods);
    }

    /// Every put from now on is answered like this.
    pub(crate) fn stays(&self, mood: Mood) {
        self.kept.lock().unwrap().lasting_mood = Some(mood);
    }

    pub(crate) fn puts(&self) -> Vec<Put> {
        self.kept.lock().unwrap().puts.clone()
    }

    pub(crate) fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.kept.lock().unwrap().values.get(key).cloned()
    }

    pub(crate) fn set(&self, key: &str, value: &[u8]) {
        self.kept
            .lock()
            .unwrap()
            .values
            .insert(key.to_owned(), value.to_vec());
    }

    pub(crate) fn remove(&self, key: &str) {
        self.kept.lock().unwrap().values.remove(key);
    }
}

impl Drop for KvDouble {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn put_value(
    State(kept): State<Shared>,
    Path(key): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    value: Bytes,
) -> Response {
    let header = headers
        .get("authorization")
        .map_or("", |value| value.to_str().unwrap());
    let put = Put {
        key,
        value: value.to_vec(),
        authorization: header.to_owned(),
        expiration_ttl: query
            .get("expiration_ttl")
            .map(|secs| secs.parse().unwrap()),
    };
    let mood = note_put(&kept, put);
    match mood {
        Mood::Well | Mood::Forgetful => {
            Json(json!({ "success": true, "errors": [], "messages": [] })).into_response()
        }
        Mood::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Mood::Garbage => "<html>welcome to the airport wi-fi</html>".into_response(),
        Mood::Refusal => Json(json!({ "success": false, "errors": [] })).into_response(),
        Mood::Silent => std::future::pending().await,
    }
}

fn note_put(kept: &Shared, put: Put) -> Mood {
    let mut kept = kept.lock().unwrap();
    let mood = kept
        .moods
        .pop_front()
        .or(kept.lasting_mood)
        .unwrap_or(Mood::Well);
    if mood == Mood::Well {
        kept.values.insert(put.key.clone(), put.value.clone());
    }
    kept.puts.push(put);
    mood
}

async fn get_value(State(kept): State<Shared>, Path(key): Path<String>) -> Response {
    match kept.lock().unwrap().values.get(&key) {
        Some(value) => Body::from(value.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn get_keys(
    State(kept): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let prefix = query.get("prefix").map_or("", String::as_str);
    let kept = kept.lock().unwrap();
    let names = kept.values.keys().filter(|key| key.starts_with(prefix));
    let result: Vec<_> = names.map(|name| json!({ "name": name })).collect();
    Json(json!({ "success": true, "result": result })).into_response()
}
