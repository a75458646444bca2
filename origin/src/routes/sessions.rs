//! `GET /sessions`: the user's devices. `DELETE /sessions/{sid}`: end one of them.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use shared::UnixSeconds;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{no_store, parse_row_id};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Authenticated, PathName};
use crate::iso_time;
use crate::revocation::Receipt;
use crate::sessions::{self, Caller, describe_device, ends_at, user_actor};
use crate::store::sessions::{Session, find, find_open};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(close))
}

#[derive(Serialize, ToSchema)]
#[schema(as = Sessions)]
struct List {
    sessions: Vec<Entry>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct Entry {
    /// Close it with `DELETE /sessions/{sid}`.
    sid: String,
    /// Through which it was begun; `portcullis` for `/login` itself.
    client_id: String,
    /// Readable, as far as the user agent says: `Firefox on Linux`.
    device: Option<String>,
    /// As it was sent at the log-in, cut to 256 characters.
    user_agent: Option<String>,
    /// Where the log-in came from.
    address: Option<String>,
    /// RFC 3339 in UTC, as are the others.
    created_at: String,
    /// The log-in, or the last refresh.
    last_seen_at: String,
    /// When it ends if nobody refreshes it until then.
    expires_at: String,
    /// The session of the token that asks.
    current: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SessionClosed)]
struct Closed {
    message: &'static str,
    revocation: Receipt,
}

#[utoipa::path(
    get, path = "/sessions", tag = "sessions", security(("bearer" = [])),
    responses((status = 200, description = "The open sessions of the user", body = List)),
)]
async fn list(State(app): State<App>, bearer: Authenticated) -> Result<Response, ApiError> {
    let user_id = bearer.claims.sub.as_str();
    let now = app.clock.now();
    let open = find_open(&app.pool, user_id, now).await?;
    let sessions = open
        .into_iter()
        .map(|session| (ends_at(&app, &session, session.last_seen_at), session))
        .filter(|(ends_at, _)| *ends_at > now)
        .map(|(ends_at, session)| entry(session, ends_at, bearer.sid.as_str()))
        .collect();
    Ok(no_store(List { sessions }))
}

#[utoipa::path(
    delete, path = "/sessions/{sid}", tag = "sessions", security(("bearer" = [])),
    params(("sid" = String, Path, description = "As `GET /sessions` has it")),
    responses((status = 200, description = "The session is closed; with its receipt", body = Closed)),
)]
async fn close(
    State(app): State<App>,
    bearer: Authenticated,
    caller: Caller,
    PathName(sid): PathName,
) -> Result<Response, ApiError> {
    let user_id = bearer.claims.sub.as_str();
    let session = match parse_row_id(&sid) {
        Some(sid) => find(&app.pool, sid).await?,
        None => None,
    };
    // Another's session and a session that is over are nothing to this user.
    let session = session
        .filter(|session| session.user_id == user_id && session.revoked_at.is_none())
        .ok_or(ApiError::NotFound)?;
    let actor = user_actor(user_id);
    let revocation = sessions::close(&app, &session.sid, &actor, "session_closed", &caller).await?;
    Ok(no_store(Closed {
        message: "Session closed",
        revocation,
    }))
}

fn entry(session: Session, ends_at: UnixSeconds, current_sid: &str) -> Entry {
    Entry {
        current: session.sid == current_sid,
        sid: session.sid,
        client_id: session.client_id,
        device: session.user_agent.as_deref().and_then(describe_device),
        user_agent: session.user_agent,
        address: session.address,
        created_at: iso_time::format(session.created_at),
        last_seen_at: iso_time::format(session.last_seen_at),
        expires_at: iso_time::format(ends_at),
    }
}
