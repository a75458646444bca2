//! `POST /admin/revocations`: an operator revokes anything, with a reason. `GET`: the newest ones.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::no_store;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{JsonBody, Operator};
use crate::iso_time;
use crate::revocation::{Receipt, Request, revoke_by_name};
use crate::sessions::{Caller, user_actor};
use crate::store::revocations::{self, RevocationRow};

const NEWEST: u32 = 100;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/admin/revocations", get(list).post(revoke))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    scope: String,
    issuer: Option<String>,
    name: Option<String>,
    before: Option<String>,
    reason: String,
}

#[derive(Serialize)]
struct Revoked {
    revocation: Receipt,
}

#[derive(Serialize)]
struct List {
    revocations: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    id: String,
    scope: &'static str,
    issuer: String,
    name: String,
    before: Option<String>,
    reason: String,
    actor: String,
    recorded_at: String,
    version: Option<u64>,
}

async fn revoke(
    State(app): State<App>,
    Operator(operator): Operator,
    caller: Caller,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response, ApiError> {
    let before = match body.before {
        Some(text) => Some(iso_time::parse(&text).ok_or(ApiError::InvalidBefore)?),
        None => None,
    };
    let request = Request {
        scope: &body.scope,
        issuer: body.issuer.as_deref(),
        name: body.name.as_deref(),
        before,
        reason: &body.reason,
        actor: &user_actor(operator.claims.sub.as_str()),
        address: Some(&caller.address),
    };
    let revocation = revoke_by_name(&app, &request).await?;
    Ok((StatusCode::CREATED, no_store(Revoked { revocation })).into_response())
}

async fn list(State(app): State<App>, _: Operator) -> Result<Response, ApiError> {
    let rows = revocations::find_newest(&app.pool, NEWEST).await?;
    Ok(no_store(List {
        revocations: rows.into_iter().map(entry).collect(),
    }))
}

fn entry(row: RevocationRow) -> Entry {
    let before = row.before_secs.map(shared::UnixSeconds::from_secs);
    Entry {
        id: row.id,
        scope: row.scope.as_str(),
        issuer: row.issuer,
        name: row.name,
        before: before.map(iso_time::format),
        reason: row.reason,
        actor: row.actor,
        recorded_at: iso_time::format(row.recorded_at),
        version: row.version,
    }
}
