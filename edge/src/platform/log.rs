//! The Worker's log: one line of JSON an event. Whoever calls keeps tokens and secrets out of it.

use serde::Serialize;
use wasm_bindgen::JsValue;
use worker::web_sys::console;

pub fn info(line: &impl Serialize) {
    console::log_1(&JsValue::from_str(&print(line)));
}

pub fn warn(line: &impl Serialize) {
    console::warn_1(&JsValue::from_str(&print(line)));
}

fn print(line: &impl Serialize) -> String {
    serde_json::to_string(line).unwrap_or_else(|_| r#"{"event":"unprintable"}"#.to_owned())
}
