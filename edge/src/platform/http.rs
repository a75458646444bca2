//! Requests of the edge's own: with a time-out, and never more of an answer than was asked for.

use js_sys::{ArrayBuffer, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::web_sys::{
    AbortSignal, ReadableStream, ReadableStreamDefaultReader, Request, RequestInit,
    RequestRedirect, Response, WorkerGlobalScope,
};

use crate::config::Secret;
use crate::lanes::LaneError;

thread_local! {
    static GLOBAL: WorkerGlobalScope = js_sys::global().unchecked_into();
}

/// A request to the origin.
#[derive(Debug)]
pub struct OriginRequest<'a> {
    pub url: &'a str,
    pub secret: Option<&'a Secret>,
    /// A form to post; without one the method is GET.
    pub form: Option<String>,
    pub timeout_ms: u32,
}

/// Sends it; redirects are not followed, because the secret would go along.
pub async fn send(request: &OriginRequest<'_>) -> Result<Response, LaneError> {
    let init = RequestInit::new();
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(request.timeout_ms)));
    if let Some(form) = &request.form {
        init.set_method("POST");
        init.set_body(&JsValue::from_str(form));
    }
    let prepared = prepare(request, &init).map_err(|_| LaneError::Unreachable)?;
    let response = JsFuture::from(start_fetch(&prepared)).await;
    response
        .map(JsCast::unchecked_into)
        .map_err(|cause| classify(&cause))
}

fn prepare(request: &OriginRequest<'_>, init: &RequestInit) -> Result<Request, JsValue> {
    let prepared = Request::new_with_str_and_init(request.url, init)?;
    let headers = prepared.headers();
    if let Some(secret) = request.secret {
        headers.set("authorization", &format!("Bearer {}", secret.expose()))?;
    }
    if request.form.is_some() {
        headers.set("content-type", "application/x-www-form-urlencoded")?;
    }
    Ok(prepared)
}

/// `fetch`, as the platform has it: the promise of a response.
pub(super) fn start_fetch(request: &Request) -> Promise {
    GLOBAL.with(|global| global.fetch_with_request(request))
}

/// The whole body, if it has at most `max_bytes`.
pub async fn read_body(response: &Response, max_bytes: usize) -> Result<Vec<u8>, LaneError> {
    match (find_length(response), response.body()) {
        (_, None) => Ok(Vec::new()),
        (Some(length), Some(_)) if length > max_bytes => Err(LaneError::TooLong),
        (Some(_), Some(_)) => read_whole(response).await,
        (None, Some(body)) => read_stream(&body, max_bytes).await,
    }
}

/// How long the body is, where that is said and binding: nothing is unpacked on the way.
fn find_length(response: &Response) -> Option<usize> {
    let headers = response.headers();
    let find = |name| headers.get(name).ok().flatten();
    match find("content-encoding") {
        Some(_) => None,
        None => find("content-length")?.parse().ok(),
    }
}

async fn read_whole(response: &Response) -> Result<Vec<u8>, LaneError> {
    let promise = response.array_buffer().map_err(|cause| classify(&cause))?;
    let buffer = JsFuture::from(promise).await;
    let buffer = buffer.map_err(|cause| classify(&cause))?;
    Ok(Uint8Array::new(buffer.unchecked_ref::<ArrayBuffer>()).to_vec())
}

/// Chunk by chunk, which is slow, and never more than was asked for.
async fn read_stream(stream: &ReadableStream, max_bytes: usize) -> Result<Vec<u8>, LaneError> {
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    while let Some(chunk) = read_chunk(&reader)
        .await
        .map_err(|cause| classify(&cause))?
    {
        let start = bytes.len();
        let end = start + chunk.length() as usize;
        if end > max_bytes {
            // The rest is not wanted; whether the cancelling worked does not matter.
            drop(reader.cancel());
            return Err(LaneError::TooLong);
        }
        bytes.resize(end, 0);
        chunk.copy_to(&mut bytes[start..]);
    }
    Ok(bytes)
}

async fn read_chunk(reader: &ReadableStreamDefaultReader) -> Result<Option<Uint8Array>, JsValue> {
    let step = JsFuture::from(reader.read()).await?;
    let is_done = Reflect::get(&step, &JsValue::from_str("done"))?.is_truthy();
    if is_done {
        return Ok(None);
    }
    Reflect::get(&step, &JsValue::from_str("value")).map(|value| Some(value.unchecked_into()))
}

fn classify(cause: &JsValue) -> LaneError {
    let name = Reflect::get(cause, &JsValue::from_str("name"))
        .ok()
        .and_then(|n| n.as_string());
    match name.as_deref() {
        Some("TimeoutError" | "AbortError") => LaneError::TimedOut,
        _ => LaneError::Unreachable,
    }
}
