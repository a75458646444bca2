//! `GET /admin/audit`: what happened, newest first, for operators.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use url::form_urlencoded;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::no_store;
use crate::app::App;
use crate::audit_query::{AuditPage, AuditQuery};
use crate::error::ApiError;
use crate::extract::Operator;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

#[utoipa::path(
    get, path = "/admin/audit", tag = "operator", security(("bearer" = [])),
    params(
        ("event" = Option<String>, Query, description = "Only this event"),
        ("actor" = Option<String>, Query, description = "Only what this one did"),
        ("subject" = Option<String>, Query, description = "Only what is about this one"),
        ("from" = Option<String>, Query, description = "From this RFC 3339 time in UTC on"),
        ("to" = Option<String>, Query, description = "Before this RFC 3339 time in UTC"),
        ("cursor" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u32>, Query, description = "Most events of a page, 1 to 1000"),
    ),
    responses((status = 200, description = "The newest first", body = AuditPage)),
)]
async fn list(
    State(app): State<App>,
    _: Operator,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    Ok(no_store(parse(&pairs)?.find(&app).await?))
}

/// A parameter twice or an unknown one is a mistake: a filter that is not applied shows too much.
fn parse(pairs: &[(String, String)]) -> Result<AuditQuery<'_>, ApiError> {
    let mut query = AuditQuery::default();
    let mut limit = None;
    for (name, value) in pairs {
        let place = match name.as_str() {
            "event" => &mut query.event,
            "actor" => &mut query.actor,
            "subject" => &mut query.subject,
            "from" => &mut query.from,
            "to" => &mut query.to,
            "cursor" => &mut query.cursor,
            "limit" => &mut limit,
            _ => return Err(ApiError::InvalidQuery),
        };
        if place.replace(value.as_str()).is_some() {
            return Err(ApiError::InvalidQuery);
        }
    }
    query.limit = match limit {
        Some(text) => Some(text.parse().map_err(|_| ApiError::InvalidQuery)?),
        None => None,
    };
    Ok(query)
}
