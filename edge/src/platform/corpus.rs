//! Feature `corpus`, never in production: a corpus of tokens through the real WebCrypto verifier.
//! The body has one case a line; the answer has one verdict a line.

use wasm_bindgen_futures::JsFuture;

use super::call::{Call, RequestParts};
use super::reply::{self, Reply};
use super::web_crypto::WebCryptoVerifier;
use crate::request_target::RequestTarget;
use crate::response::PlainResponse;
use crate::status::OWN_PREFIX;

/// `None` for any other request.
pub async fn answer(call: &Call, parts: &RequestParts) -> Option<Reply> {
    let target = RequestTarget::parse(parts.url()).ok()?;
    let is_ours = target.path.strip_prefix(OWN_PREFIX) == Some("corpus");
    if !is_ours || parts.method() != "POST" {
        return None;
    }
    let body = JsFuture::from(call.request.text().ok()?)
        .await
        .ok()?
        .as_string()?;
    let mut verdicts = String::new();
    for line in body.lines().filter(|line| !line.trim().is_empty()) {
        verdicts.push_str(&shared::corpus::run_line(line, &WebCryptoVerifier).await);
        verdicts.push('\n');
    }
    Some(Reply::Response(reply::build(&PlainResponse::json(
        verdicts,
    ))))
}
