//! Asks one HTTP server as fast as it answers, over a few connections that stay open; bounded in
//! time and in count. Wants 200 from every answer: a refusal costs less than what is measured.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, HOST, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

#[derive(Debug, Clone, Copy)]
pub(super) struct Load<'a> {
    pub(super) server: SocketAddr,
    pub(super) path: &'a str,
    /// Values of `Authorization`, sent in turn, from the first on again after the last.
    pub(super) credentials: &'a [HeaderValue],
    pub(super) connections: usize,
    pub(super) max_requests: usize,
    pub(super) max_time: Duration,
}

/// What became of it.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) elapsed: Duration,
    /// Ascending, one a request.
    latencies: Vec<Duration>,
}

impl Load<'_> {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let open = (0..self.connections).map(|_| connect(self.server));
        let connections = try_join_all(open).await?;
        let next = Cell::new(0);
        let started = Instant::now();
        let ask = connections
            .into_iter()
            .map(|connection| self.ask_in_turn(connection, &next, started));
        let latencies = try_join_all(ask).await?.concat();
        Ok(Outcome::new(started.elapsed(), latencies))
    }

    async fn ask_in_turn(
        &self,
        mut connection: SendRequest<Empty<Bytes>>,
        next: &Cell<usize>,
        started: Instant,
    ) -> anyhow::Result<Vec<Duration>> {
        let mut latencies = Vec::new();
        while next.get() < self.max_requests && started.elapsed() < self.max_time {
            let credential = &self.credentials[next.get() % self.credentials.len()];
            next.set(next.get() + 1);
            let request = Request::get(self.path)
                .header(HOST, "bench.invalid")
                .header(AUTHORIZATION, credential)
                .body(Empty::new())?;
            let sent = Instant::now();
            let response = connection.send_request(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            ensure!(
                status == StatusCode::OK,
                "the answer was {status}: {}",
                String::from_utf8_lossy(&body)
            );
            latencies.push(sent.elapsed());
        }
        Ok(latencies)
    }
}

async fn connect(server: SocketAddr) -> anyhow::Result<SendRequest<Empty<Bytes>>> {
    let stream = TcpStream::connect(server)
        .await
        .with_context(|| format!("nobody listens on {server}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the sender; what broke it, the next request reports.
    drop(tokio::spawn(connection));
    Ok(sender)
}

impl Outcome {
    /// `latencies` in any order.
    pub(super) fn new(elapsed: Duration, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self { elapsed, latencies }
    }

    pub(super) fn requests(&self) -> usize {
        self.latencies.len()
    }

    /// The latency that `percent` of the requests did not exceed.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.latencies.len() * percent).div_ceil(100);
        let index = rank.saturating_sub(1);
        self.latencies.get(index).copied().unwrap_or_default()
    }
}
