//! Passing a request on: method, query, body and headers as they came, but for the identity. Both
//! bodies stream through.

use js_sys::Promise;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::web_sys::{Headers, Request, RequestInit, RequestRedirect, Response};

use super::{Call, http};
use crate::identity::{self, Identity};

#[wasm_bindgen(
    inline_js = "export function joinNames(headers) { return [...headers.keys()].join(','); }"
)]
extern "C" {
    #[wasm_bindgen(js_name = joinNames)]
    fn join_names(headers: &Headers) -> String;
}

/// The upstream could not be reached, or broke off before it answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the upstream did not answer")]
pub struct UpstreamUnreachable;

/// Sends the request to `url`; the promise is that of the response.
pub fn send(
    call: &Call,
    url: &str,
    identity: Option<&Identity>,
) -> Result<Promise, UpstreamUnreachable> {
    let request = prepare(&call.request, url, identity).map_err(|_| UpstreamUnreachable)?;
    Ok(http::start_fetch(&request))
}

/// The response, for whoever has to change it.
pub async fn receive(sent: Promise) -> Result<Response, UpstreamUnreachable> {
    let response = JsFuture::from(sent).await;
    response
        .map(JsCast::unchecked_into)
        .map_err(|_: JsValue| UpstreamUnreachable)
}

fn prepare(inbound: &Request, url: &str, identity: Option<&Identity>) -> Result<Request, JsValue> {
    let headers = Headers::new_with_headers(&inbound.headers())?;
    let names = join_names(&headers);
    for name in names.split(',').filter(|name| must_be_removed(name)) {
        headers.delete(name)?;
    }
    for (name, value) in identity.map(Identity::headers).unwrap_or_default() {
        headers.set(name, &value)?;
    }
    let init = RequestInit::new();
    init.set_method(&inbound.method());
    init.set_headers(&headers);
    // A redirect is the client's to follow: it may lead to another route's resource.
    init.set_redirect(RequestRedirect::Manual);
    if let Some(body) = inbound.body() {
        init.set_body(&body);
    }
    Request::new_with_str_and_init(url, &init)
}

/// The host has answered `Expect: 100-continue` already, and would take the upstream's 100 for its
/// whole answer.
fn must_be_removed(name: &str) -> bool {
    name == "expect" || identity::is_reserved_name(name)
}
