//! The same as a Worker: a command in the query, its bytes as the body, one instance for the whole run.
//! Timers stand still while it computes, so whoever asks takes the time.

mod web_crypto;

use std::cell::Cell;

use percent_encoding::percent_decode_str;
use shared::{Digester, SignatureVerifier};
use wasm_bindgen::JsCast;
use worker::{Context, Env, Request, Response, Result, event};

use crate::bench::{Bench, Command, Host};
use web_crypto::WebCrypto;

thread_local! {
    static BENCH: Cell<Bench> = Cell::default();
}

struct Workerd;

impl Host for Workerd {
    fn verifier(&self) -> &impl SignatureVerifier {
        &WebCrypto
    }

    fn digester(&self) -> &impl Digester {
        &WebCrypto
    }

    fn memory_bytes(&self) -> u64 {
        let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
        let buffer: js_sys::ArrayBuffer = memory.buffer().unchecked_into();
        u64::from(buffer.byte_length())
    }
}

#[event(fetch)]
async fn fetch(mut request: Request, _: Env, _: Context) -> Result<Response> {
    let url = request.url()?;
    let query = percent_decode_str(url.query().unwrap_or_default()).decode_utf8_lossy();
    let command: Command = serde_json::from_str(&query)?;
    let body = request.bytes().await?;
    // Asked by one client, one request at a time.
    let mut bench = BENCH.take();
    let outcome = bench.run(command, body, &Workerd).await;
    BENCH.set(bench);
    match outcome {
        Ok(answer) => Response::from_json(&answer),
        Err(fault) => Response::error(fault.to_string(), 500),
    }
}
