//! `GET /openapi.json`: the API as its own handlers describe it. A route without a description does
//! not compile; what holds for all of them is added here.

use std::sync::OnceLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi, PathItem, Ref, RefOr, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::{ApiError, Problem};

static DESCRIPTION: OnceLock<String> = OnceLock::new();

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(openapi))
}

#[utoipa::path(
    get, path = "/openapi.json", tag = "operations",
    responses((status = 200, description = "This document")),
)]
async fn openapi() -> Result<Response, ApiError> {
    let text = DESCRIPTION
        .get()
        .ok_or(ApiError::Internal("the API is not described"))?;
    Ok(([(CONTENT_TYPE, "application/json")], text.as_str()).into_response())
}

/// Takes what the handlers say; every router of a process says the same.
pub(crate) fn keep(found: OpenApi) {
    DESCRIPTION.get_or_init(|| describe(found).to_json().unwrap_or_default());
}

fn describe(mut api: OpenApi) -> OpenApi {
    api.info = InfoBuilder::new()
        .title("Portcullis")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Issues tokens, and revokes them everywhere by a stated time.",
        ))
        .build();
    let components = api.components.get_or_insert_with(Components::new);
    for (name, scheme) in [
        ("bearer", HttpAuthScheme::Bearer),
        ("edge", HttpAuthScheme::Bearer),
        ("client", HttpAuthScheme::Basic),
    ] {
        components.add_security_scheme(name, SecurityScheme::Http(Http::new(scheme)));
    }
    components
        .schemas
        .insert(Problem::name().into_owned(), Problem::schema());
    let paths = std::mem::take(&mut api.paths.paths);
    for (path, mut item) in paths {
        operations(&mut item).for_each(add_problem);
        // A parameter that takes the rest of a path is one like any other to who reads this.
        api.paths.paths.insert(path.replace("{*", "{"), item);
    }
    api
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.delete,
        &mut item.put,
    ]
    .into_iter()
    .filter_map(Option::as_mut)
}

/// Whatever else is answered is a problem, unless its handler says otherwise.
fn add_problem(operation: &mut Operation) {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Problem::name())))
        .build();
    let response = ResponseBuilder::new()
        .description("A problem (RFC 9457); `code` says which")
        .content("application/problem+json", content)
        .build();
    operation
        .responses
        .responses
        .entry("default".to_owned())
        .or_insert(RefOr::T(response));
}
