//! An edge, known by the secret that all edges share with us. It only keeps strangers from holding
//! our connections and asking about tokens; what edges are told is signed.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::app::App;
use crate::error::ApiError;

/// A request that carries the edges' secret.
#[derive(Debug)]
pub struct Edge;

impl FromRequestParts<App> for Edge {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        Self::identify(app, &parts.headers)
    }
}

impl Edge {
    pub fn identify(app: &App, headers: &HeaderMap) -> Result<Self, ApiError> {
        let secret = app.config.lanes.edge_secret.as_ref();
        let secret = secret.ok_or(ApiError::EdgeSecretNotSet)?;
        let mut values = headers.get_all(AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (Some(value), None) if is_bearer_of(secret, value) => Ok(Self),
            _ => Err(ApiError::InvalidEdgeSecret),
        }
    }
}

fn is_bearer_of(secret: &SecretString, value: &HeaderValue) -> bool {
    let Some((scheme, given)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return false;
    };
    scheme.eq_ignore_ascii_case("bearer")
        && verify_slices_are_equal(given.as_bytes(), secret.expose_secret().as_bytes()).is_ok()
}
