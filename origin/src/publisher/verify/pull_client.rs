//! An origin as an edge asks it, for the list that it hands out now.

use std::time::Duration;

use reqwest::{Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use shared::{MAX_MESSAGE_BYTES, MAX_SEGMENT_BYTES};

const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct PullClient {
    http: reqwest::Client,
    origin: Url,
    secret: SecretString,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PullError {
    #[error("the HTTP client cannot be set up")]
    ClientFailed,
    #[error("the origin's address cannot be the base of another")]
    BadAddress,
    #[error("the origin cannot be reached, or does not answer in time")]
    Unreachable,
    #[error("the origin refused the edges' secret (PORTCULLIS_EDGE_SECRET)")]
    Unauthorized,
    #[error("the origin answered with status {status}")]
    Failed { status: u16 },
    #[error("the answer is longer than any list")]
    TooLong,
}

impl PullError {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ClientFailed => "pull_client_failed",
            Self::BadAddress => "pull_bad_address",
            Self::Unreachable => "pull_unreachable",
            Self::Unauthorized => "pull_unauthorized",
            Self::Failed { .. } => "pull_failed",
            Self::TooLong => "pull_too_long",
        }
    }
}

impl PullClient {
    pub fn new(origin: Url, secret: SecretString) -> Result<Self, PullError> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build();
        Ok(Self {
            http: http.map_err(|_| PullError::ClientFailed)?,
            origin,
            secret,
        })
    }

    pub(super) async fn find_message(&self) -> Result<Option<Vec<u8>>, PullError> {
        self.find("/revocations/head?after=0", MAX_MESSAGE_BYTES)
            .await
    }

    pub(super) async fn find_segment(&self, sha256: &str) -> Result<Option<Vec<u8>>, PullError> {
        let path = format!("/revocations/segments/{sha256}");
        self.find(&path, MAX_SEGMENT_BYTES).await
    }

    /// `None` where the origin says that there is no such thing.
    async fn find(&self, path: &str, longest_bytes: usize) -> Result<Option<Vec<u8>>, PullError> {
        let url = self.origin.join(path).map_err(|_| PullError::BadAddress)?;
        let request = self.http.get(url).bearer_auth(self.secret.expose_secret());
        let answer = request.send().await.map_err(|_| PullError::Unreachable)?;
        match answer.status() {
            StatusCode::OK => read(answer, longest_bytes).await.map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED => Err(PullError::Unauthorized),
            status => Err(PullError::Failed {
                status: status.as_u16(),
            }),
        }
    }
}

async fn read(mut answer: Response, longest_bytes: usize) -> Result<Vec<u8>, PullError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| PullError::Unreachable)? {
        if body.len() + chunk.len() > longest_bytes {
            return Err(PullError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
