//! The Worker at the edge: a request passes only with a genuine, valid, unrevoked access token.
//!
//! Where to look: `handler` gathers, `decision` decides, `handler` applies. Everything that names
//! no effect in its first line is pure; only `platform` knows the Workers platform.

pub mod config;
pub mod credentials;
pub mod decision;
pub mod evidence;
pub mod handler;
pub mod identity;
pub mod introspection;
pub mod introspection_cache;
pub mod isolate;
pub mod lanes;
mod lapse;
pub mod list_cache;
pub mod list_fetch;
pub mod list_intake;
pub mod list_refresh;
pub mod outcome;
pub mod platform;
pub mod request_target;
pub mod response;
pub mod route;
pub mod status;
mod token_cache;
pub mod verified_cache;

use platform::guard::EntryPoint;

thread_local! {
    static FETCH: EntryPoint = EntryPoint::new(|call| Box::pin(handler::answer(call)));
}

/// The response, or the promise of one, where nothing has to be awaited before; else undefined.
#[wasm_bindgen::prelude::wasm_bindgen]
#[must_use]
pub fn answer_at_once(request: worker::web_sys::Request) -> wasm_bindgen::JsValue {
    let reply = handler::answer_at_once(&platform::Inbound::new(request));
    reply.map_or(wasm_bindgen::JsValue::UNDEFINED, platform::guard::hand_over)
}

/// The answer to a request whose call trapped.
#[wasm_bindgen::prelude::wasm_bindgen]
#[must_use]
pub fn unavailable() -> worker::web_sys::Response {
    platform::reply::build(&response::build_denial(&decision::DenyReason::Internal))
}

/// The Worker's `fetch`. Not `worker::event`, whose promise is lost with a panic.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn fetch(
    request: &worker::web_sys::Request,
    env: &worker::Env,
    context: &worker::worker_sys::Context,
) -> js_sys::Promise {
    FETCH.with(|entry_point| entry_point.answer(request, env, context))
}
