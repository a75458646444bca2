//! Sessions: begun by a log-in, carried on by refreshing, ended by a log-out. One row a session; a
//! refresh token is worth something only while its session is open.

mod login;
mod logout;
mod refresh;
mod successor;

use serde::Serialize;
use shared::UnixSeconds;

pub use login::{Credentials, log_in};
pub(crate) use logout::user_actor;
pub use logout::{close, log_out, log_out_everywhere};
pub use refresh::{refresh, token_hash};

use crate::accounts::OPERATOR;
use crate::app::App;
use crate::error::ApiError;
use crate::issuer::Grant;
use crate::store::sessions::Session;
use crate::store::users::User;

/// The client of those who log in with `/login` itself.
pub const FIRST_PARTY: &str = "portcullis";

/// Where a request came from, for the list of devices and the audit log.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    pub address: String,
    pub user_agent: Option<String>,
}

/// RFC 6749, section 5.1.
#[derive(Serialize)]
pub struct TokenPair {
    pub access_token: String,
    pub refresh_token: String,
    pub token_type: &'static str,
    pub expires_in: u64,
    pub scope: String,
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenPair")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// What a user may be given at most.
fn scopes_of(user: &User) -> Vec<&'static str> {
    let mut scopes = vec!["profile"];
    if user.roles.iter().any(|role| role == OPERATOR) {
        scopes.push(OPERATOR);
    }
    scopes
}

/// `wanted` as far as the user may have it; a role that was taken away takes its scope along.
fn granted_scope(user: &User, wanted: &str) -> String {
    let held = scopes_of(user);
    wanted
        .split(' ')
        .filter(|scope| held.contains(scope))
        .collect::<Vec<_>>()
        .join(" ")
}

fn token_pair(
    app: &App,
    user: &User,
    session: &Session,
    refresh_token: String,
    now: UnixSeconds,
) -> Result<TokenPair, ApiError> {
    let scope = granted_scope(user, &session.scope);
    let grant = Grant {
        user,
        sid: &session.sid,
        client_id: &session.client_id,
        scope: &scope,
        auth_time: session.created_at,
    };
    Ok(TokenPair {
        access_token: app.issuer.issue(&grant, now)?,
        refresh_token,
        token_type: "Bearer",
        expires_in: app.issuer.lifetime_secs(),
        scope,
    })
}
