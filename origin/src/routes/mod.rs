//! The HTTP API, one file a resource. Handlers translate: what is decided is decided elsewhere.

mod admin_audit;
mod admin_revocations;
mod canary_health;
mod email;
mod health;
mod introspect;
mod login;
mod logout;
mod me;
mod metrics;
pub(crate) mod openapi;
mod password;
mod receipts;
mod refresh;
mod register;
mod revocation_list;
mod revoke;
mod sessions;
mod token;
mod well_known;

use axum::Json;
use axum::http::header::{CACHE_CONTROL, PRAGMA};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::iso_time;
use crate::store::users::User;

/// Everything about accounts, sessions and revocations.
pub(crate) fn accounts() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(register::routes())
        .merge(login::routes())
        .merge(token::routes())
        .merge(refresh::routes())
        .merge(logout::routes())
        .merge(me::routes())
        .merge(sessions::routes())
        .merge(password::routes())
        .merge(email::routes())
        .merge(introspect::routes())
        .merge(revoke::routes())
        .merge(admin_revocations::routes())
        .merge(admin_audit::routes())
        .merge(well_known::routes())
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(openapi::routes())
}

/// Requests that may hang on purpose and change nothing: they end with their client.
pub(crate) fn hanging() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(revocation_list::routes())
        .merge(receipts::routes())
}

/// Whether errors are told there as RFC 6749 has it, whoever finds them.
pub(crate) fn is_oauth(path: &str) -> bool {
    [token::PATH, revoke::PATH, introspect::PATH].contains(&path)
}

/// Whether this is what every edge asks all the time.
pub(crate) fn is_pull(route: &str) -> bool {
    route == revocation_list::HEAD
}

/// A body that no cache may keep, not even one of HTTP/1.0 (RFC 6749, section 5.1).
fn no_store<T: Serialize>(body: T) -> Response {
    let headers = [(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")];
    (headers, Json(body)).into_response()
}

/// An id of a row as a path may name it; what does not look like one is not looked up.
fn parse_row_id(text: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    ((1..=64).contains(&text.len()) && text.bytes().all(plain)).then_some(text)
}

/// RFC 7009, section 2.1, and RFC 7662, section 2.1.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is for the description only")]
struct GivenToken {
    #[schema(format = Password)]
    token: String,
    token_type_hint: Option<String>,
    client_id: Option<String>,
    #[schema(format = Password)]
    client_secret: Option<String>,
}

/// A user as the user may see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
struct UserBody {
    /// The `sub` of the user's tokens.
    id: String,
    /// In lower case, its domain as DNS has it.
    email: String,
    /// Whether a mailed token showed that the address is theirs.
    email_verified: bool,
    name: Option<String>,
    roles: Vec<String>,
    /// RFC 3339 in UTC.
    created_at: String,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            email_verified: user.email_verified_at.is_some(),
            name: user.name,
            roles: user.roles,
            created_at: iso_time::format(user.created_at),
        }
    }
}
