//! The HTTP server: a bounded number of connections, a bounded patience with slow ones, and an end
//! that lets requests finish. It does not know what is asked.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// From the end of one request to the end of the next one's head: long enough for connections that
/// are kept, too short to be held open for nothing.
const HEAD_MAY_TAKE: Duration = Duration::from_secs(75);
/// What is missing of a request's body this long after the end began is not waited for.
const BODIES_MAY_TAKE: Duration = Duration::from_secs(2);
/// After a failure to accept, which is mostly a lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} (PORTCULLIS_LISTEN)")]
pub struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

pub async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ListenError { address, source })
}

/// Serves until `stop`, then takes no new request and finishes those that are under way. Past
/// `most_connections` new ones wait until others end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    most_connections: usize,
    stop: CancellationToken,
) {
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(most_connections));
    loop {
        let accepted = stop.run_until_cancelled(accept(&listener, &places)).await;
        let Some((stream, peer, place)) = accepted else {
            break;
        };
        let connection = connection(stream, peer, router.clone(), stop.clone());
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                // The client broke off or was too slow: nobody's failure here.
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    connections.shutdown().await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there is always a place to come.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// One connection with all its requests; each is told who the peer is.
fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
) -> impl GracefulConnection<Error = hyper::Error> {
    // A list message is small and must not wait for an acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection may be slow");
    }
    let service = router.map_request(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(|body| body_until_end(body, &stop));
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAY_TAKE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
}

/// The body as it comes. Once the server ends, one that is still not whole breaks off: a client that
/// sends nothing must not hold up the end, and half a body must not pass for a whole one.
fn body_until_end(body: Incoming, stop: &CancellationToken) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    let stop = stop.clone();
    let ended = Box::pin(async move {
        stop.cancelled().await;
        tokio::time::sleep(BODIES_MAY_TAKE).await;
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
