//! `GET /me`: the user whose token it is.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{UserBody, no_store};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Authenticated;
use crate::store::users;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(me))
}

#[utoipa::path(
    get, path = "/me", tag = "accounts", security(("bearer" = [])),
    responses((status = 200, description = "Whose token it is", body = UserBody)),
)]
async fn me(State(app): State<App>, bearer: Authenticated) -> Result<Response, ApiError> {
    let user = users::find(&app.pool, bearer.claims.sub.as_str())
        .await?
        .ok_or(ApiError::UserNotFound)?;
    if user.disabled_at.is_some() {
        return Err(ApiError::UserDisabled);
    }
    Ok(no_store(UserBody::from(user)))
}
