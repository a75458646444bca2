//! `GET /revocations/head` and `/revocations/segments/{sha256}`: what edges fetch. What they
//! get is signed or named by its hash.

use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Edge, PathName};
use crate::publisher::published_list::PublishedList;
use crate::publisher::pull_lane::Pulled;

const LIST_VERSION: HeaderName = HeaderName::from_static("portcullis-list-version");
/// Below every proxy's usual patience, and what a Worker's `wait_until` lasts at most.
const LONGEST_WAIT_SECS: u64 = 30;
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// A SHA-256 in base64url.
const ADDRESS_CHARS: usize = 43;

pub(super) const HEAD: &str = "/revocations/head";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(pull_head))
        .routes(routes!(fetch_segment))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pull {
    /// The version that the edge holds; 0: none.
    #[serde(default)]
    after: u64,
    /// Seconds that the edge would wait for a newer one.
    #[serde(default)]
    wait: u64,
}

#[utoipa::path(
    get, path = "/revocations/head", tag = "edges", security(("edge" = [])),
    params(
        ("after" = Option<u64>, Query, description = "The version that the edge holds"),
        ("wait" = Option<u64>, Query, maximum = 30, description = "Seconds to wait for a newer one"),
    ),
    responses(
        (status = 200, description = "A list message"),
        (status = 204, description = "Nothing newer yet"),
    ),
)]
async fn pull_head(
    State(app): State<App>,
    _: Edge,
    pull: Result<Query<Pull>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(pull) = pull.map_err(|_| ApiError::InvalidQuery)?;
    if pull.wait > LONGEST_WAIT_SECS {
        return Err(ApiError::InvalidQuery);
    }
    note_sighting(&app, pull.after);
    match app
        .pull_lane
        .pull(pull.after, Duration::from_secs(pull.wait))
        .await
    {
        Pulled::Newer(list) => Ok(list_message(&list, pull.after)),
        Pulled::Unchanged => {
            Ok((StatusCode::NO_CONTENT, [(CACHE_CONTROL, NO_STORE)]).into_response())
        }
        Pulled::NoListYet => Err(ApiError::NoListYet),
    }
}

/// Only versions that were really published count: a receipt must not be made up by an edge.
fn note_sighting(app: &App, version: u64) {
    if app
        .pull_lane
        .newest()
        .is_some_and(|list| list.find_mark(version).is_some())
    {
        app.pull_lane.sightings().note(version, app.clock.now());
    }
}

fn list_message(list: &PublishedList, after: u64) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, NO_STORE),
        (LIST_VERSION, HeaderValue::from(list.version())),
    ];
    (headers, list.message_after(after)).into_response()
}

#[utoipa::path(
    get, path = "/revocations/segments/{sha256}", tag = "edges", security(("edge" = [])),
    params(("sha256" = String, Path, description = "As the head names it")),
    responses((status = 200, description = "A segment", content_type = "application/octet-stream")),
)]
async fn fetch_segment(
    State(app): State<App>,
    _: Edge,
    PathName(sha256): PathName,
) -> Result<Response, ApiError> {
    if !is_address(&sha256) {
        return Err(ApiError::NotFound);
    }
    let bytes = app.segments.find(&app.pool, &sha256).await?;
    let bytes = bytes.ok_or(ApiError::NotFound)?;
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (CACHE_CONTROL, FOREVER),
    ];
    Ok((headers, bytes).into_response())
}

fn is_address(text: &str) -> bool {
    text.len() == ADDRESS_CHARS
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
