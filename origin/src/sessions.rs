//! Sessions: begun by a log-in, carried on by refreshing, ended by a log-out. One row a session; a
//! refresh token is worth something only while its session is open.

mod device;
mod login;
mod logout;
mod refresh;
mod refresh_decision;
mod refresh_token;
pub mod scope;
mod successor;
mod undisputed;

use serde::Serialize;
use shared::UnixSeconds;
use utoipa::ToSchema;

pub(crate) use device::describe_device;
pub use login::{Credentials, Renewal, log_in};
pub(crate) use login::{find_later_cut_off, wait_for_cut_off};
pub(crate) use logout::user_actor;
pub use logout::{close, log_out, log_out_everywhere};
pub use refresh::refresh;
pub use refresh_token::{Presented, token_hash};
pub use scope::Wanted;

use crate::app::App;
use crate::error::ApiError;
use crate::issuer::{Grant, Holder};
use crate::store::sessions::Session;
use crate::store::users::User;

/// The client of those who log in with `/login` itself.
pub const FIRST_PARTY: &str = "portcullis";

/// A session ends some time after its beginning, and earlier if nobody refreshes it.
pub(crate) fn ends_at(app: &App, session: &Session, last_seen_at: UnixSeconds) -> UnixSeconds {
    session
        .expires_at
        .min(last_seen_at.plus_secs(app.config.tokens.session_idle_secs))
}

/// Where a request came from, for the list of devices and the audit log.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    pub address: String,
    pub user_agent: Option<String>,
}

/// RFC 6749, section 5.1.
#[derive(Serialize, ToSchema)]
pub struct TokenResponse {
    pub access_token: String,
    /// `None`: whoever got this has to log in again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    pub token_type: &'static str,
    pub expires_in: u64,
    pub scope: String,
}

impl TokenResponse {
    pub(crate) fn new(access_token: String, scope: String, expires_in: u64) -> Self {
        Self {
            access_token,
            refresh_token: None,
            token_type: "Bearer",
            expires_in,
            scope,
        }
    }
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// An access token of the session, with this scope.
fn access_token(
    app: &App,
    user: &User,
    session: &Session,
    scope: String,
    now: UnixSeconds,
) -> Result<TokenResponse, ApiError> {
    let grant = Grant {
        holder: Holder::User {
            user,
            sid: &session.sid,
            auth_time: session.created_at,
        },
        client_id: &session.client_id,
        scope: &scope,
        ends_at: Some(session.expires_at),
    };
    let token = app.issuer.issue(&grant, now)?;
    let expires_in = app.issuer.expires_in(&grant, now);
    Ok(TokenResponse::new(token, scope, expires_in))
}
