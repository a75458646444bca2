//! One call of the Worker, as plain values: the request's parts, the variables, the background.

use std::future::Future;

use js_sys::{JSON, Reflect};
use wasm_bindgen::JsValue;
use worker::{Context, Env, web_sys};

use crate::config::RawConfig;

/// The variables and the KV namespace. Cheap to clone into background work.
#[derive(Debug, Clone)]
pub struct Bindings {
    pub(super) env: Env,
}

/// A request and what may be done about it.
#[derive(Debug)]
pub struct Call {
    pub(super) request: web_sys::Request,
    pub bindings: Bindings,
    context: Context,
}

/// The parts of a request that decisions rest on.
#[derive(Debug)]
pub struct RequestParts {
    pub method: String,
    pub url: String,
    pub authorization: Option<String>,
    pub cookie: Option<String>,
    /// Read only where there is a cookie: nothing else depends on it.
    pub fetch_site: Option<String>,
}

impl Call {
    #[must_use]
    pub fn new(request: web_sys::Request, env: Env, context: Context) -> Self {
        Self {
            request,
            bindings: Bindings { env },
            context,
        }
    }

    #[must_use]
    pub fn parts(&self) -> RequestParts {
        let headers = self.request.headers();
        // `get` fails only for a name that is no header name.
        let header = |name| headers.get(name).unwrap_or_default();
        let cookie = header("cookie");
        RequestParts {
            method: self.request.method(),
            url: self.request.url(),
            authorization: header("authorization"),
            fetch_site: cookie.as_ref().and_then(|_| header("sec-fetch-site")),
            cookie,
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
