//! The HTTP server: a bounded number of connections, a bounded patience with slow ones, and an end
//! that lets requests finish. It does not know what is asked.

mod patience;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{ServiceExt, service_fn};

use patience::{body_until_end, client_holds_up_end};

/// From the end of one request to the end of the next one's head: long enough for connections that
/// are kept, too short to be held open for nothing.
const HEAD_MAY_TAKE: Duration = Duration::from_secs(75);
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
        let answering = TaskTracker::new();
        let connection = connection(stream, peer, router.clone(), &answering, &stop);
        let connection = connections.watch(connection);
        let held_up = client_holds_up_end(answering, stop.clone());
        tokio::spawn(async move {
            // The client broke off or was too slow: nobody's failure here.
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                },
                () = held_up => tracing::debug!("a connection held up the end"),
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

/// One connection with all its requests; each is told who the peer is, and is among `answering` until
/// its answer is there.
fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    answering: &TaskTracker,
    stop: &CancellationToken,
) -> impl GracefulConnection<Error = hyper::Error> + use<> {
    // A list message is small and must not wait for an acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection may be slow");
    }
    let (answering, stop) = (answering.clone(), stop.clone());
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(|body| body_until_end(body, &stop));
        request.extensions_mut().insert(ConnectInfo(peer));
        answering.track_future(router.clone().oneshot(request))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAY_TAKE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
}
