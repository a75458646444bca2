//! A Worker that passes every request on to the upstream and checks nothing, written as the crate
//! `worker` suggests: the floor under every Worker in Rust.

use worker::{Context, Env, Fetch, Request, RequestInit, Response, Result, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let upstream = env.var("UPSTREAM_URL")?.to_string();
    let url = request.url()?;
    let mut init = RequestInit::new();
    init.with_method(request.method())
        .with_headers(request.headers().clone());
    let target = format!("{upstream}{}", url.path());
    Fetch::Request(Request::new_with_init(&target, &init)?)
        .send()
        .await
}
