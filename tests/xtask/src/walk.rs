//! The main flow as a person would walk it: register, log in, pass the edge, log out, be refused.
//! Prints each step with its time; measures from the logout's 200 to the edge's 401.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use stack::{Answer, Client, System, progress};

/// What the edge may take at most: its list comes by the slow lane only, or a first start.
const PATIENCE: Duration = Duration::from_secs(90);
const REVOKED: &str = "Token has been revoked";

/// The two ends that the walk talks to.
#[derive(Debug)]
pub(crate) struct Walk {
    origin: Client,
    edge: Client,
}

impl Walk {
    pub(crate) fn new(system: &System) -> anyhow::Result<Self> {
        Ok(Self {
            origin: Client::new(system.origin.url())?,
            edge: Client::new(system.edge.url())?,
        })
    }

    /// Walks `rounds` times; tells every step of the first and the outcome of the others.
    pub(crate) async fn run(&self, rounds: u32) -> anyhow::Result<()> {
        let mut times = vec![self.walk(true).await?];
        for round in 2..=rounds {
            let time = self
                .walk(false)
                .await
                .with_context(|| format!("round {round}"))?;
            progress::done(&format!(
                "round {round}: refused at the edge after {}",
                millis(time)
            ));
            times.push(time);
        }
        if rounds > 1 {
            times.sort();
            let (fastest, slowest) = (times[0], times[times.len() - 1]);
            println!(
                "  from the logout's 200 to the edge's 401, over {rounds} rounds: median {}, {} to {}",
                millis(median(&times)),
                millis(fastest),
                millis(slowest)
            );
        }
        Ok(())
    }

    async fn walk(&self, tell: bool) -> anyhow::Result<Duration> {
        let mut steps = Steps {
            tell,
            last: Instant::now(),
        };
        let email = format!("walker-{}@example.com", stack::generate_secret()?);
        let password = stack::generate_secret()?;

        let answer = self
            .origin
            .register(&email, &password)
            .await
            .context("register")?;
        answer.expect(201).context("register")?;
        steps.done("register at the origin: 201");

        let token = self
            .origin
            .log_in(&email, &password)
            .await
            .context("log in")?
            .access;
        steps.done("log in at the origin: 200, an access token for an hour");

        self.wait_for_pass(&token)
            .await
            .context("the edge lets the token through")?;
        steps.done("GET /me through the edge: 200");

        let answer = self.origin.log_out(&token).await.context("log out")?;
        let logged_out = Instant::now();
        let answer = answer.expect(200).context("log out")?;
        steps.done(&format!("log out at the origin: 200, {}", bound(&answer)));

        let answer = self
            .wait_for_refusal(&token)
            .await
            .context("the edge refuses the token")?;
        let time = logged_out.elapsed();
        ensure!(
            answer.detail() == REVOKED,
            "401 for another reason: {}",
            answer.text
        );
        let me = self.edge.me(&token).await?;
        me.expect(401).context("GET /me through the edge")?;
        steps.done(&format!("GET /me through the edge: 401 \"{REVOKED}\""));
        if tell {
            println!(
                "  from the logout's 200 to the edge's 401: {}",
                millis(time)
            );
        }
        Ok(time)
    }

    async fn wait_for_pass(&self, token: &str) -> anyhow::Result<Answer> {
        wait_for(200, async || self.edge.me(token).await).await
    }

    /// The edge's own refusal: on `/me` the origin would refuse as well, and be taken for it.
    async fn wait_for_refusal(&self, token: &str) -> anyhow::Result<Answer> {
        wait_for(401, async || self.edge.unguarded(token).await).await
    }
}

/// Asks without a pause until the answer has `status`.
async fn wait_for(
    status: u16,
    ask: impl AsyncFn() -> anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = ask().await?;
        if answer.status == status {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            let (status, waited) = (answer.status, PATIENCE.as_secs());
            bail!("still {status} after {waited} s: {}", answer.text);
        }
    }
}

/// Tells each step with the time since the one before.
struct Steps {
    tell: bool,
    last: Instant,
}

impl Steps {
    fn done(&mut self, what: &str) {
        if self.tell {
            progress::done(&format!("{what} ({})", millis(self.last.elapsed())));
        }
        self.last = Instant::now();
    }
}

/// The promise as the origin states it in its answer.
fn bound(answer: &Answer) -> String {
    let effective_by = answer.json()["revocation"]["effective_by"].clone();
    format!(
        "at the latest in force by {}",
        effective_by.as_str().unwrap_or("(not stated)")
    )
}

fn median(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() / 2]
}

fn millis(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1000.0)
}
