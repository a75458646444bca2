//! Passing a request on: method, query, body and headers as they came, but for the identity.

use js_sys::Array;
use wasm_bindgen::JsValue;
use worker::web_sys::{Headers, Request, RequestInit, RequestRedirect, Response};

use super::{Call, http};
use crate::identity::{self, Identity};

/// The upstream could not be reached, or broke off before it answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the upstream did not answer")]
pub struct UpstreamUnreachable;

/// Sends the request to `url` and hands back the answer, both bodies streaming through.
pub async fn forward(
    call: &Call,
    url: &str,
    identity: Option<&Identity>,
) -> Result<Response, UpstreamUnreachable> {
    let request = prepare(&call.request, url, identity).map_err(|_| UpstreamUnreachable)?;
    http::fetch(&request).await.map_err(|_| UpstreamUnreachable)
}

fn prepare(inbound: &Request, url: &str, identity: Option<&Identity>) -> Result<Request, JsValue> {
    let headers = Headers::new_with_headers(&inbound.headers())?;
    remove_reserved(&headers)?;
    // The host has answered `Expect: 100-continue` already, and would take the upstream's 100 for
    // its whole answer.
    headers.delete("expect")?;
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

fn remove_reserved(headers: &Headers) -> Result<(), JsValue> {
    let names = String::from(Array::from(&headers.keys()).join(","));
    for name in names
        .split(',')
        .filter(|name| identity::is_reserved_name(name))
    {
        headers.delete(name)?;
    }
    Ok(())
}
