//! Thousands of edges that hang at one origin, some that read nothing, and a logout that reaches all
//! the others; then the end of the origin with all of them still there.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use stack::{Client, Origin, OriginSettings, port, progress};

use super::fresh_folder;
use super::percentiles::Percentiles;
use super::waiter::{Arrival, Waiter};

const ROUNDS: usize = 5;
/// Edges that ask for more than sockets hold, and never read.
const SLOW_READERS: usize = 100;
const REQUESTS_OF_A_SLOW_READER: usize = 10_000;
const CONNECTS_AT_ONCE: usize = 64;
/// Files beside the sockets of waiters.
const OTHER_FILES: u64 = 512;
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) waiters: usize,
    pub(super) slow_readers: usize,
    /// From the logout's 200 to the first and the last waiter's whole answer, one a round.
    pub(super) first: Percentiles,
    pub(super) last: Percentiles,
    pub(super) body_bytes: usize,
    /// Resident memory of the origin, KiB: before anyone waits, with all waiting, at its highest.
    pub(super) idle_kib: u64,
    pub(super) waiting_kib: u64,
    pub(super) highest_kib: u64,
    /// From SIGTERM to the end of the process.
    pub(super) end_took: Duration,
}

pub(super) async fn measure(waiters: u32, binary: &Path) -> anyhow::Result<Outcome> {
    let waiters = waiters as usize;
    raise_limit_of_open_files(waiters)?;
    let secret = stack::generate_secret()?;
    let mut origin = start_origin(&secret, binary).await?;
    let pid = origin.process().id();
    let address: SocketAddr = origin.url().trim_start_matches("http://").parse()?;
    let client = Client::new(origin.url())?;
    let idle_kib = memory_kib(pid, "VmRSS")?;

    let connecting = connect_all(address, &secret, waiters);
    let mut edges = progress::during(&format!("connecting {waiters} waiters"), connecting).await?;
    // The list of the start; what follows is what a running edge is sent.
    try_join_all(edges.iter_mut().map(Waiter::wait)).await?;
    let slow = connect_slow(address, &secret).await?;
    let mut rounds = Vec::new();
    let mut waiting_kib = 0;
    for _ in 0..ROUNDS {
        let publish = async {
            wait_for_waiters(&client, waiters).await?;
            waiting_kib = memory_kib(pid, "VmRSS")?;
            log_out(&client).await
        };
        let arrive = try_join_all(edges.iter_mut().map(Waiter::wait));
        let (logged_out, arrivals) = tokio::try_join!(publish, arrive)?;
        rounds.push(Round::of(logged_out, &arrivals));
    }
    let highest_kib = memory_kib(pid, "VmHWM")?;
    // Everyone waits once more, and the origin ends.
    try_join_all(edges.iter_mut().map(|edge| edge.ask(30))).await?;
    wait_for_waiters(&client, waiters).await?;
    let asked = Instant::now();
    tokio::task::spawn_blocking(move || origin.process().stop()).await?;
    let end_took = asked.elapsed();
    drop(slow);
    Ok(Outcome {
        waiters,
        slow_readers: SLOW_READERS,
        first: Percentiles::of(rounds.iter().map(|round| round.first).collect()),
        last: Percentiles::of(rounds.iter().map(|round| round.last).collect()),
        body_bytes: rounds
            .iter()
            .map(|round| round.body_bytes)
            .max()
            .unwrap_or(0),
        idle_kib,
        waiting_kib,
        highest_kib,
        end_took,
    })
}

struct Round {
    first: Duration,
    last: Duration,
    body_bytes: usize,
}

impl Round {
    fn of(logged_out: Instant, arrivals: &[Arrival]) -> Self {
        let after = |arrival: &Arrival| arrival.at.saturating_duration_since(logged_out);
        Self {
            first: arrivals.iter().map(after).min().unwrap_or_default(),
            last: arrivals.iter().map(after).max().unwrap_or_default(),
            body_bytes: arrivals
                .iter()
                .map(|arrival| arrival.body_bytes)
                .max()
                .unwrap_or(0),
        }
    }
}

/// Without a heartbeat in between, so that every publication is the logout's.
async fn start_origin(secret: &str, binary: &Path) -> anyhow::Result<Origin> {
    let folder = fresh_folder("waiters")?;
    let environment = [
        ("PORTCULLIS_EDGE_SECRET", secret),
        ("PORTCULLIS_HEARTBEAT_SECS", "3600"),
        ("PORTCULLIS_LIST_LIFETIME_SECS", "7200"),
        ("PORTCULLIS_LOG", "warn"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Origin::start(OriginSettings {
        port: port::find_free()?,
        data: folder.join("data"),
        log: folder.join("origin.log"),
        binary: Some(binary.to_owned()),
        environment: environment.to_vec(),
    })
    .await
}

async fn connect_all(
    origin: SocketAddr,
    secret: &str,
    count: usize,
) -> anyhow::Result<Vec<Waiter>> {
    stream::iter(0..count)
        .map(|_| Waiter::connect(origin, secret))
        .buffer_unordered(CONNECTS_AT_ONCE)
        .try_collect()
        .await
}

/// Each asks for the whole list again and again and reads none of it, until the origin cannot write.
async fn connect_slow(origin: SocketAddr, secret: &str) -> anyhow::Result<Vec<Waiter>> {
    let mut slow = connect_all(origin, secret, SLOW_READERS).await?;
    try_join_all(slow.iter_mut().map(ask_for_more_than_fits)).await?;
    Ok(slow)
}

async fn ask_for_more_than_fits(reader: &mut Waiter) -> anyhow::Result<()> {
    let ask = async {
        for _ in 0..REQUESTS_OF_A_SLOW_READER {
            reader.ask(0).await?;
        }
        Ok(())
    };
    // Once the origin waits for us to read, it reads no more from us either.
    tokio::time::timeout(Duration::from_secs(2), ask)
        .await
        .unwrap_or(Ok(()))
}

/// A logout, and the moment of its 200.
async fn log_out(client: &Client) -> anyhow::Result<Instant> {
    let email = format!("{}@example.com", stack::generate_secret()?);
    let password = stack::generate_secret()?;
    client.register(&email, &password).await?.expect(201)?;
    let token = client.log_in(&email, &password).await?.access;
    client.log_out(&token).await?.expect(200)?;
    Ok(Instant::now())
}

async fn wait_for_waiters(client: &Client, count: usize) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let metrics = client.get("/metrics", "").await?.text;
        let hanging: f64 = metrics
            .lines()
            .find_map(|line| line.strip_prefix("portcullis_pull_waiters "))
            .map_or(Ok(0.0), str::parse)?;
        #[expect(clippy::cast_precision_loss, reason = "thousands are exact in an f64")]
        if hanging >= count as f64 {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "only {hanging} of {count} wait");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn memory_kib(pid: u32, name: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with(name));
    let text = line.and_then(|line| line.split_ascii_whitespace().nth(1));
    Ok(text
        .with_context(|| format!("no {name} in /proc"))?
        .parse()?)
}

/// The origin needs as many as we do, and inherits what the hard limit allows.
fn raise_limit_of_open_files(waiters: usize) -> anyhow::Result<()> {
    let wanted = waiters as u64 + SLOW_READERS as u64 + OTHER_FILES;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    ensure!(
        hard >= wanted,
        "{waiters} waiters need {wanted} open files, and the hard limit is {hard}: raise it \
         (`ulimit -Hn`), or give a smaller --waiters"
    );
    setrlimit(Resource::RLIMIT_NOFILE, wanted.max(soft), hard)?;
    Ok(())
}
