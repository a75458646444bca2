//! `POST /admin/revocations`: an operator revokes anything, with a reason. `GET`: the newest ones.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::no_store;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{JsonBody, Operator};
use crate::iso_time;
use crate::revocation::{Receipt, Request, revoke_by_name};
use crate::sessions::{Caller, user_actor};
use crate::store::revocations::{self, RevocationRow};

const NEWEST: u32 = 100;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, revoke))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RevocationOrder)]
struct Body {
    scope: String,
    issuer: Option<String>,
    name: Option<String>,
    before: Option<String>,
    reason: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RecordedRevocation)]
struct Revoked {
    revocation: Receipt,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Revocations)]
struct List {
    revocations: Vec<Entry>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Revocation)]
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

#[utoipa::path(
    post, path = "/admin/revocations", tag = "operator", security(("bearer" = [])),
    request_body = Body,
    responses((status = 201, description = "Recorded; with its receipt", body = Revoked)),
)]
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

#[utoipa::path(
    get, path = "/admin/revocations", tag = "operator", security(("bearer" = [])),
    responses((status = 200, description = "The newest 100, the newest first", body = List)),
)]
async fn list(
    State(app): State<App>,
    _: Operator,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    // There is no filter: one that is not applied would show too much.
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(ApiError::InvalidQuery);
    }
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
