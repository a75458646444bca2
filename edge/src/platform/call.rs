//! One call of the Worker, as plain values: the request's parts, the variables, the background.

use std::future::Future;

use js_sys::{JSON, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Context, Env, web_sys, worker_sys};

use crate::config::RawConfig;

/// The variables and the KV namespace. Cheap to clone into background work.
#[derive(Debug, Clone)]
pub struct Bindings {
    pub(super) env: Env,
}

/// A request, as the host holds it.
#[derive(Debug)]
pub struct Inbound(pub(super) web_sys::Request);

/// A request and what may be done about it.
#[derive(Debug)]
pub struct Call {
    pub request: Inbound,
    pub bindings: Bindings,
    context: Context,
}

#[wasm_bindgen(inline_js = r#"
export function readParts(request) {
  const headers = request.headers;
  const line = (value) => value === null ? "\n-" : "\n+" + value;
  const cookie = headers.get("cookie");
  return request.method + "\n" + request.url + line(headers.get("authorization")) + line(cookie)
    + (cookie === null ? "" : line(headers.get("sec-fetch-site")) + line(headers.get("origin"))
      + line(headers.get("upgrade")));
}
"#)]
extern "C" {
    /// Everything in one crossing: method, URL and header values hold no line break.
    #[wasm_bindgen(js_name = readParts)]
    fn read_parts(request: &web_sys::Request) -> String;
}

/// The parts of a request that decisions rest on.
#[derive(Debug)]
pub struct RequestParts {
    lines: String,
}

impl RequestParts {
    #[must_use]
    pub fn method(&self) -> &str {
        self.line(0).unwrap_or_default()
    }

    #[must_use]
    pub fn url(&self) -> &str {
        self.line(1).unwrap_or_default()
    }

    #[must_use]
    pub fn authorization(&self) -> Option<&str> {
        self.header(2)
    }

    #[must_use]
    pub fn cookie(&self) -> Option<&str> {
        self.header(3)
    }

    /// Read only where there is a cookie: nothing else depends on it.
    #[must_use]
    pub fn fetch_site(&self) -> Option<&str> {
        self.header(4)
    }

    /// Read only where there is a cookie, like `fetch_site`.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.header(5)
    }

    /// Read only where there is a cookie, like `fetch_site`.
    #[must_use]
    pub fn upgrade(&self) -> Option<&str> {
        self.header(6)
    }

    fn header(&self, number: usize) -> Option<&str> {
        self.line(number)?.strip_prefix('+')
    }

    fn line(&self, number: usize) -> Option<&str> {
        self.lines.split('\n').nth(number)
    }
}

impl Inbound {
    #[must_use]
    pub fn new(request: web_sys::Request) -> Self {
        Self(request)
    }

    #[must_use]
    pub fn parts(&self) -> RequestParts {
        RequestParts {
            lines: read_parts(&self.0),
        }
    }
}

impl Call {
    #[must_use]
    pub fn new(request: web_sys::Request, env: Env, context: worker_sys::Context) -> Self {
        let context = Context::new(context);
        Self {
            request: Inbound(request),
            bindings: Bindings { env },
            context,
        }
    }

    /// Goes on after the response, for about 30 s at most; may be cut off at any moment.
    pub fn run_in_background(&self, work: impl Future<Output = ()> + 'static) {
        self.context.wait_until(work);
    }
}

impl Bindings {
    #[must_use]
    pub fn raw_config(&self) -> RawConfig {
        RawConfig {
            origin_url: self.variable("ORIGIN_URL"),
            upstream_url: self.variable("UPSTREAM_URL"),
            list_issuer: self.variable("LIST_ISSUER"),
            list_keys: self.variable("LIST_KEYS"),
            routes: self.variable("ROUTES"),
            pull_lane: self.variable("PULL_LANE"),
            catch_up_ms: self.variable("CATCH_UP_MS"),
            list_header: self.variable("LIST_HEADER"),
            decision_log: self.variable("DECISION_LOG"),
            edge_secret: self.variable("EDGE_SECRET"),
        }
    }

    /// Text as it is; a table or an array of `wrangler.toml` as JSON.
    fn variable(&self, name: &str) -> Option<String> {
        let value = Reflect::get(&self.env, &JsValue::from_str(name)).ok()?;
        if value.is_undefined() || value.is_null() {
            return None;
        }
        value
            .as_string()
            .or_else(|| JSON::stringify(&value).ok()?.as_string())
    }
}
