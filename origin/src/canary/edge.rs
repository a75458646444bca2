//! An edge as the canary asks it: on its own status page, which it never forwards, so that no refusal
//! of the origin's can pass for one of the edge's. A good token lacks the scope there, a revoked one
//! is revoked before that.

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use tokio::time::Instant;

use super::failure::{CanaryError, Failure};

const STATUS_PATH: &str = "/.portcullis/status";
/// What the edge says to a token that it lets in, but not onto the page.
const LET_IN: &str = "insufficient_scope";
const REVOKED: &str = "token_revoked";
const TIMEOUT: Duration = Duration::from_secs(5);
/// Between two questions: at first, and once it has taken longer than anybody wants to measure.
const PAUSE: Duration = Duration::from_millis(20);
const LONG_PAUSE: Duration = Duration::from_millis(500);
const SOON: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct WatchedEdge {
    /// As it was configured, for the log and the metrics.
    name: String,
    page: Url,
    http: reqwest::Client,
}

/// What the edge said, as far as it matters.
struct Answer {
    status: u16,
    code: String,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
}

impl WatchedEdge {
    pub(super) fn new(url: &Url) -> Result<Self, CanaryError> {
        let name = url.as_str().trim_end_matches('/').to_owned();
        let page = url.join(STATUS_PATH);
        let http = reqwest::Client::builder().timeout(TIMEOUT).build();
        Ok(Self {
            page: page.map_err(|_| CanaryError::BadEdge(name.clone()))?,
            http: http.map_err(|_| CanaryError::ClientFailed)?,
            name,
        })
    }

    pub(super) async fn ensure_passes(&self, token: &str) -> Result<(), Failure> {
        let Answer { status, code } = self.ask(token).await?;
        if code == LET_IN {
            return Ok(());
        }
        let edge = self.name.clone();
        Err(Failure::GoodTokenRefused { edge, status, code })
    }

    /// Asks again and again; how long after `recorded` it refused, or that it did not in time. An
    /// edge that cannot be reached lets nobody through either.
    pub(super) async fn wait_for_refusal(
        &self,
        token: &str,
        recorded: Instant,
        patience: Duration,
    ) -> Result<Duration, Failure> {
        loop {
            let answer = self.ask(token).await;
            let elapsed = recorded.elapsed();
            match answer {
                Ok(answer) if answer.code == REVOKED => {
                    metrics::histogram!("portcullis_time_to_revoke_seconds",
                        "layer" => "refused", "lane" => "any", "edge" => self.name.clone())
                    .record(elapsed.as_secs_f64());
                    return Ok(elapsed);
                }
                Ok(answer) if answer.code == LET_IN && elapsed > patience => {
                    let edge = self.name.clone();
                    return Err(Failure::BoundBroken { edge });
                }
                Err(failure) if elapsed > patience => return Err(failure),
                // Without a list it answers 503: nobody passes, and nothing is measured yet.
                Ok(answer) if elapsed > patience => {
                    return Err(Failure::GoodTokenRefused {
                        edge: self.name.clone(),
                        status: answer.status,
                        code: answer.code,
                    });
                }
                Ok(_) | Err(_) => {}
            }
            let pause = if elapsed < SOON { PAUSE } else { LONG_PAUSE };
            tokio::time::sleep(pause).await;
        }
    }

    async fn ask(&self, token: &str) -> Result<Answer, Failure> {
        let ask = async {
            let request = self.http.get(self.page.clone()).bearer_auth(token);
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            let body = answer.bytes().await?;
            let problem = serde_json::from_slice::<Problem>(&body);
            let code = problem.map_or_else(|_| "no_problem".to_owned(), |problem| problem.code);
            Ok::<_, reqwest::Error>(Answer { status, code })
        };
        ask.await.map_err(|_| Failure::EdgeUnreachable {
            edge: self.name.clone(),
        })
    }
}
