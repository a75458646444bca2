//! How long a client may hold up the end of the server: by a body that does not come, a head that is
//! never whole, an answer that it never reads. Whoever is being served is not hurried here.

use std::io;
use std::time::Duration;

use axum::body::Body;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a client still owes this long after the end began, or after its answer was there, is not
/// waited for.
const CLIENTS_MAY_TAKE: Duration = Duration::from_secs(2);

/// The body as it comes. Once the server ends, one that is still not whole breaks off: a client that
/// sends nothing must not hold up the end, and half a body must not pass for a whole one.
pub(super) fn body_until_end(body: Incoming, stop: &CancellationToken) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    let stop = stop.clone();
    let ended = Box::pin(async move {
        stop.cancelled().await;
        tokio::time::sleep(CLIENTS_MAY_TAKE).await;
    });
    let chunks = body.into_data_stream().map_err(io::Error::other);
    let until_end = stream::unfold(Some((chunks, ended)), async |parts| {
        let (mut chunks, mut ended) = parts?;
        tokio::select! {
            biased;
            chunk = chunks.next() => Some((chunk?, Some((chunks, ended)))),
            () = &mut ended => Some((Err(io::Error::other("the server ends")), None)),
        }
    });
    Body::from_stream(until_end)
}

/// Returns once the server ends and, of one connection, nothing is left to wait for but its client,
/// and that for too long. `answering` has a token for each request that has no answer yet.
pub(super) async fn client_holds_up_end(answering: TaskTracker, stop: CancellationToken) {
    stop.cancelled().await;
    answering.close();
    loop {
        answering.wait().await;
        tokio::time::sleep(CLIENTS_MAY_TAKE).await;
        if answering.is_empty() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_being_answered_has_its_time_and_its_client_some_more() {
        let (answering, stop) = (TaskTracker::new(), CancellationToken::new());
        let request = answering.token();
        stop.cancel();
        let began = Instant::now();
        let holds_up = tokio::spawn(client_holds_up_end(answering, stop));
        tokio::time::sleep(CLIENTS_MAY_TAKE * 3).await;
        assert!(!holds_up.is_finished());
        drop(request);
        holds_up.await.unwrap();
        assert_eq!(began.elapsed(), CLIENTS_MAY_TAKE * 4);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_hurried_before_the_end() {
        let (answering, stop) = (TaskTracker::new(), CancellationToken::new());
        let hurried = client_holds_up_end(answering, stop);
        let waited = tokio::time::timeout(CLIENTS_MAY_TAKE * 100, hurried).await;
        assert!(waited.is_err());
    }
}
