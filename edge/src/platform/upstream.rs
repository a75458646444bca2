//! Passing a request on: method, query, body and headers as they came, but for the identity. Both
//! bodies stream through.

use js_sys::Promise;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::web_sys::{Request, Response};

use super::Inbound;
use crate::identity::{self, Identity};

#[wasm_bindgen(inline_js = r#"
export function findSuspects(request) {
  let suspects = "";
  for (const name of request.headers.keys()) {
    if (name.startsWith("auth") && name !== "authorization") suspects += name + "\n";
  }
  return suspects;
}
"#)]
extern "C" {
    /// Names of headers that begin like ours, each with a line break after it; most often none.
    #[wasm_bindgen(js_name = findSuspects)]
    fn find_suspects(request: &Request) -> String;
}

// `Expect` is taken out because the host has answered it already, and would take the upstream's
// 100 for its whole answer. A redirect is the client's to follow: it may lead to another route.
#[wasm_bindgen(inline_js = r#"
export function sendOn(request, instructions) {
  const [url, ...changes] = instructions.split("\n");
  const headers = new Headers(request.headers);
  headers.delete("expect");
  for (const change of changes) {
    const colon = change.indexOf(":");
    if (colon < 0) headers.delete(change);
    else headers.set(change.slice(0, colon), change.slice(colon + 1));
  }
  const { method, body } = request;
  // `fetch` takes no body with GET or HEAD, but sends on a request that came with one.
  if (body && (method === "GET" || method === "HEAD")) {
    return fetch(new Request(url, request), { headers, redirect: "manual" });
  }
  return fetch(url, { method, headers, body, redirect: "manual" });
}
"#)]
extern "C" {
    /// The URL and the changes to the headers, a line each: `name` takes it out, `name:value` sets.
    #[wasm_bindgen(catch, js_name = sendOn)]
    fn send_on(request: &Request, instructions: &str) -> Result<Promise, JsValue>;
}

/// The upstream could not be reached, or broke off before it answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the upstream did not answer")]
pub struct UpstreamUnreachable;

/// Sends the request to `url`; the promise is that of the response.
pub fn send(
    request: &Inbound,
    url: &str,
    identity: Option<&Identity>,
) -> Result<Promise, UpstreamUnreachable> {
    let suspects = find_suspects(&request.0);
    let instructions = build_instructions(url, &suspects, identity);
    send_on(&request.0, &instructions).map_err(|_| UpstreamUnreachable)
}

/// The response, for whoever has to change it.
pub async fn receive(sent: Promise) -> Result<Response, UpstreamUnreachable> {
    let response = JsFuture::from(sent).await;
    response
        .map(JsCast::unchecked_into)
        .map_err(|_: JsValue| UpstreamUnreachable)
}

/// Nothing here holds a line break: URLs and header names cannot, and values are encoded.
fn build_instructions(url: &str, suspects: &str, identity: Option<&Identity>) -> String {
    let mut instructions = url.to_owned();
    for name in suspects
        .lines()
        .filter(|name| identity::is_reserved_name(name))
    {
        instructions.push('\n');
        instructions.push_str(name);
    }
    for (name, value) in identity.map(Identity::headers).unwrap_or_default() {
        instructions.push('\n');
        instructions.push_str(name);
        instructions.push(':');
        instructions.push_str(&value);
    }
    instructions
}
