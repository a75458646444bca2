//! Feature `test-routes`, never in production: a corpus of tokens through the real WebCrypto
//! verifier (one case a line, one verdict a line), and panics on demand.

use std::time::Duration;

use wasm_bindgen_futures::JsFuture;

use super::call::{Call, RequestParts};
use super::clock;
use super::reply::{self, Reply};
use super::web_crypto::WebCryptoVerifier;
use crate::request_target::RequestTarget;
use crate::response::PlainResponse;
use crate::status::OWN_PREFIX;

/// `None` for any other request.
#[expect(clippy::panic, reason = "what is asked for")]
pub async fn answer(call: &Call, parts: &RequestParts) -> Option<Reply> {
    let target = RequestTarget::parse(parts.url()).ok()?;
    if parts.method() != "POST" {
        return None;
    }
    match target.path.strip_prefix(OWN_PREFIX)? {
        "corpus" => judge(call).await,
        "panic" => panic!("asked for, in the first step of a request"),
        "panic-later" => {
            clock::sleep(Duration::from_millis(1)).await;
            panic!("asked for, after a wait")
        }
        _ => None,
    }
}

/// Of a request that is answered at once.
pub fn panic_at_once(parts: &RequestParts) {
    let is_asked_for = RequestTarget::parse(parts.url())
        .is_ok_and(|target| target.path.strip_prefix(OWN_PREFIX) == Some("panic-at-once"));
    assert!(!is_asked_for, "asked for, in the only step of a request");
}

async fn judge(call: &Call) -> Option<Reply> {
    let body = JsFuture::from(call.request.0.text().ok()?)
        .await
        .ok()?
        .as_string()?;
    let mut verdicts = String::new();
    for line in body.lines().filter(|line| !line.trim().is_empty()) {
        verdicts.push_str(&shared::corpus::run_line(line, &WebCryptoVerifier::Concurrent).await);
        verdicts.push('\n');
    }
    let response = reply::build(&PlainResponse::json(verdicts));
    Some(Reply::Response(response))
}
