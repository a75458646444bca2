//! The router: every resource, and what surrounds all of them: a request id, one log line, metrics,
//! and an answer even to a panic.

mod browsers;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use sqlx::AnyPool;
use tokio::task::JoinError;
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::error::{ApiError, OAuthError};
use crate::store::in_time::find_silence;
use crate::{measures, random, routes};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer than a log-in waits for a cut-off: its session must not be given to nobody.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(40);
/// What takes so long waits for the database, or is meant to: so the database is asked.
const ASKED_AFTER: Duration = Duration::from_secs(8);
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(1);

pub fn router(app: App) -> Router {
    measures::recorder();
    let pool = app.pool.clone();
    let (resources, description) = OpenApiRouter::new()
        .merge(routes::accounts().layer(from_fn_with_state(pool, finish_what_was_begun)))
        .merge(routes::hanging())
        .split_for_parts();
    routes::openapi::keep(description);
    let config = Arc::clone(&app.config);
    let pages = (!config.http.cors_origins.is_empty()).then(|| browsers::cors(&config));
    resources
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async |uri: Uri| {
            refuse_at(uri.path(), ApiError::MethodNotAllowed)
        })
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(option_layer(pages))
        .layer(map_response(move |response: Response| {
            let protected = browsers::protect(&config, response);
            async move { protected }
        }))
        .layer(from_fn(observe))
        .with_state(app)
}

/// A client that goes away does not stop a revocation between its commit and what follows it: the
/// handler runs in a task of its own, to its end, whoever still listens.
async fn finish_what_was_begun(
    State(pool): State<AnyPool>,
    uri: Uri,
    request: Request,
    next: Next,
) -> Response {
    let task = tokio::spawn(next.run(request).in_current_span());
    let error = tokio::select! {
        ended = task => match ended.map_err(JoinError::try_into_panic) {
            Ok(response) => return response,
            Err(Ok(_)) => panicked(),
            Err(Err(_)) => ApiError::Internal("a request's task was cancelled"),
        },
        silence = wait_for_silence(&pool) => silence,
        () = tokio::time::sleep(REQUEST_TIMEOUT) => ApiError::TookTooLong,
    };
    refuse_at(uri.path(), error)
}

/// Until the database says nothing any more. A request makes several statements, and each is waited
/// for; a client is told sooner than when the last of them is given up.
async fn wait_for_silence(pool: &AnyPool) -> ApiError {
    tokio::time::sleep(ASKED_AFTER).await;
    loop {
        if let Some(silence) = find_silence(pool).await {
            return silence.into();
        }
        tokio::time::sleep(ASKED_AGAIN_AFTER).await;
    }
}

/// In the form that errors have there.
fn refuse_at(path: &str, error: ApiError) -> Response {
    if routes::is_oauth(path) {
        OAuthError::from(error).into_response()
    } else {
        error.into_response()
    }
}

/// One id, one span, one line and one measurement a request. The route, never the path: a path or a
/// query may hold what a log must not.
async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = random::new_id().unwrap_or_default();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", id, %method, route = route.as_str());
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    span.in_scope(|| {
        let millis = elapsed.as_millis();
        // Thousands of edges that hear nothing new are no news.
        if routes::is_pull(&route) && response.status().is_success() {
            tracing::debug!(status, millis, "answered");
        } else {
            tracing::info!(status, millis, "answered");
        }
    });
    let labels = [
        ("method", method_label(&method).to_owned()),
        ("route", route),
        ("status", status.to_string()),
    ];
    metrics::counter!("portcullis_http_requests_total", &labels).increment(1);
    metrics::histogram!("portcullis_http_request_seconds", &labels).record(elapsed.as_secs_f64());
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// A client may make up methods; it must not make up time series.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other")
}

/// For routes that run without a task of their own.
fn answer_panic(_: Box<dyn std::any::Any + Send>) -> Response {
    panicked().into_response()
}

/// The panic's message has gone to the log by the panic hook; the client learns nothing of it.
fn panicked() -> ApiError {
    metrics::counter!("portcullis_panics_total").increment(1);
    ApiError::Internal("a handler panicked")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use http_body_util::BodyExt;
    use tokio::sync::Notify;
    use tower::ServiceExt;

    use super::*;

    fn request(path: &str) -> Request {
        Request::get(path).body(Body::empty()).unwrap()
    }

    /// A database that nobody gets to ask.
    fn unused() -> AnyPool {
        sqlx::any::install_default_drivers();
        AnyPool::connect_lazy("sqlite::memory:").unwrap()
    }

    async fn broken() {
        panic!("the secret of a panic");
    }

    #[tokio::test]
    async fn a_panic_is_answered_without_its_message_as_errors_are_there() {
        let finished = from_fn_with_state(unused(), finish_what_was_begun);
        let router = Router::new()
            .route("/me", get(broken))
            .route("/token", get(broken))
            .layer(finished)
            .route("/hanging", get(broken))
            .layer(CatchPanicLayer::custom(answer_panic));
        for (path, content_type, said) in [
            ("/me", "application/problem+json", "\"status\":500"),
            ("/token", "application/json", "\"error\":\"server_error\""),
            ("/hanging", "application/problem+json", "\"status\":500"),
        ] {
            let response = router.clone().oneshot(request(path)).await.unwrap();
            assert_eq!(response.status(), 500);
            assert_eq!(response.headers()["content-type"], content_type);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let text = String::from_utf8(body.to_vec()).unwrap();
            assert!(
                text.contains("\"code\":\"internal\"") && text.contains(said),
                "{text}"
            );
            assert!(!text.contains("secret"), "{text}");
        }
    }

    #[tokio::test]
    async fn a_handler_goes_on_when_the_client_has_gone() {
        let (go_on, finished) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (waits, tells) = (Arc::clone(&go_on), Arc::clone(&finished));
        let handler = async move || {
            waits.notified().await;
            tells.notify_one();
        };
        let router = Router::new()
            .route("/", get(handler))
            .layer(from_fn_with_state(unused(), finish_what_was_begun));
        let answer = tokio::spawn(router.oneshot(request("/")));
        tokio::task::yield_now().await;
        answer.abort();
        assert!(answer.await.unwrap_err().is_cancelled());
        go_on.notify_one();
        tokio::time::timeout(Duration::from_secs(10), finished.notified())
            .await
            .unwrap();
    }
}
