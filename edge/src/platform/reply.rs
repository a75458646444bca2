//! What a call is answered with: a response of the edge's own, or the upstream's when it comes.

use js_sys::Promise;
use serde::Serialize;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsError, JsValue};
use worker::web_sys::{Headers, Response, ResponseInit};

use super::log;
use crate::decision::DenyReason;
use crate::response::{PlainResponse, build_denial, code_of};

/// What goes back to the host.
#[derive(Debug)]
pub enum Reply {
    Response(Response),
    /// The upstream's response, still to come.
    Upstream(Promise),
}

thread_local! {
    /// One for all requests; called only where an upstream failed.
    static ON_FAILURE: Closure<dyn FnMut(JsValue) -> Result<Response, JsError>> =
        Closure::new(|_| Ok(upstream_unreachable()));
}

impl Reply {
    pub(super) fn into_js(self) -> JsValue {
        match self {
            Self::Response(response) => response.into(),
            Self::Upstream(promise) => ON_FAILURE.with(|closure| promise.catch_map(closure).into()),
        }
    }
}

#[derive(Serialize)]
struct UpstreamLine {
    event: &'static str,
}

/// The decision was logged before; that nothing came of it is an event of its own.
#[must_use]
pub fn upstream_unreachable() -> Response {
    let reason = DenyReason::UpstreamUnreachable;
    log::warn(&UpstreamLine {
        event: code_of(&reason),
    });
    build(&build_denial(&reason))
}

/// Turns plain data into a response.
#[must_use]
pub fn build(plain: &PlainResponse) -> Response {
    // Unwrap safety: every name, value and status in a `PlainResponse` is a valid one; a panic
    // would be answered with 503.
    try_build(plain).expect("our own response is well-formed")
}

fn try_build(plain: &PlainResponse) -> Result<Response, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in &plain.headers {
        headers.set(name, value)?;
    }
    let init = ResponseInit::new();
    init.set_status(plain.status);
    init.set_headers(&headers);
    Response::new_with_opt_str_and_init(Some(&plain.body), &init)
}

/// The same response with one header more. A response that cannot be copied (a WebSocket) is
/// handed back as it is: the header is for people who look, not for programs.
#[must_use]
pub fn with_header(response: Response, name: &str, value: &str) -> Response {
    match try_copy(&response, name, value) {
        Ok(copy) => copy,
        Err(_) => response,
    }
}

fn try_copy(response: &Response, name: &str, value: &str) -> Result<Response, JsValue> {
    let headers = Headers::new_with_headers(&response.headers())?;
    headers.set(name, value)?;
    let init = ResponseInit::new();
    init.set_status(response.status());
    init.set_status_text(&response.status_text());
    init.set_headers(&headers);
    Response::new_with_opt_readable_stream_and_init(response.body().as_ref(), &init)
}
