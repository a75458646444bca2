//! Asks a server as fast as it answers, over a few connections, until the time or the stock is over.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::future::try_join_all;

use super::connection::Connection;
use super::stock::{Pair, Stock};
use crate::bench::load::Outcome;

pub(super) async fn run(
    server: SocketAddr,
    connections: usize,
    max_time: Duration,
    stock: &mut Stock,
) -> anyhow::Result<Outcome> {
    let open = (0..connections).map(|_| Connection::open(server));
    let connections = try_join_all(open).await?;
    let stock = RefCell::new(stock);
    let started = Instant::now();
    let ask = connections
        .into_iter()
        .map(|connection| ask_in_turn(connection, &stock, started + max_time));
    let latencies = try_join_all(ask).await?.concat();
    Ok(Outcome::new(started.elapsed(), latencies))
}

async fn ask_in_turn(
    mut connection: Connection,
    stock: &RefCell<&mut Stock>,
    end: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let Some(request) = stock.borrow_mut().take() else {
            break;
        };
        let sent = Instant::now();
        let body = connection.ask(&request).await?;
        latencies.push(sent.elapsed());
        stock.borrow_mut().put_back(request, body)?;
    }
    Ok(latencies)
}

/// Refreshes each session once and answers with what the server gave for it.
pub(super) async fn refresh_all(
    server: SocketAddr,
    connections: usize,
    tokens: &[String],
) -> anyhow::Result<Vec<Pair>> {
    let share = tokens.len().div_ceil(connections).max(1);
    let refresh = tokens.chunks(share).map(async |tokens| {
        let mut connection = Connection::open(server).await?;
        let mut pairs = Vec::with_capacity(tokens.len());
        for token in tokens {
            let request = super::route::refresh(token);
            pairs.push(Pair::parse(connection.ask(&request).await?)?);
        }
        anyhow::Ok(pairs)
    });
    let pairs = try_join_all(refresh).await;
    Ok(pairs.context("sessions for the load")?.concat())
}
