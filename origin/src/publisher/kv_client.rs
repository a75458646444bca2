//! Cloudflare's REST API for Workers KV, as far as the durable lane needs it. `wrangler dev` serves
//! the same API for its local namespaces, so the base URL is configuration. No retries here.

use std::time::Duration;

use reqwest::{Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::config::KvConfig;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longer than any healthy put; a put that is slower holds up only the durable lane.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// KV refuses a shorter life.
const SHORTEST_LIFE_SECS: u64 = 60;
/// More than any answer of the API that is not a value.
const LONGEST_ANSWER_BYTES: usize = 256 * 1024;

#[derive(Debug, Clone)]
pub struct KvClient {
    http: reqwest::Client,
    namespace: Url,
    token: Option<SecretString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KvError {
    #[error("PORTCULLIS_KV_API_URL cannot be the base of an address")]
    BadAddress,
    #[error("the HTTP client cannot be set up")]
    ClientFailed,
    #[error("the KV API cannot be reached")]
    Unreachable,
    #[error("the KV API did not answer in time")]
    TimedOut,
    #[error("the KV API asks for fewer requests")]
    RateLimited { retry_after: Option<Duration> },
    #[error("the KV API failed with status {status}")]
    Failed { status: u16 },
    #[error("the KV API refused the token (PORTCULLIS_KV_API_TOKEN)")]
    Unauthorized,
    #[error("the KV API refused the request with status {status}")]
    Refused { status: u16 },
    #[error("the KV API gave an answer that is none")]
    BadAnswer,
    #[error("the value in KV is longer than any of ours")]
    ValueTooLong,
}

impl KvError {
    /// One stable name for logs and metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::BadAddress => "kv_bad_address",
            Self::ClientFailed => "kv_client_failed",
            Self::Unreachable => "kv_unreachable",
            Self::TimedOut => "kv_timed_out",
            Self::RateLimited { .. } => "kv_rate_limited",
            Self::Failed { .. } => "kv_failed",
            Self::Unauthorized => "kv_unauthorized",
            Self::Refused { .. } => "kv_refused",
            Self::BadAnswer => "kv_bad_answer",
            Self::ValueTooLong => "kv_value_too_long",
        }
    }

    /// The pause that the API asked for.
    #[must_use]
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } => retry_after,
            _ => None,
        }
    }
}

/// The envelope of every answer of the API.
#[derive(Deserialize)]
struct Envelope<T> {
    success: bool,
    result: Option<T>,
}

#[derive(Deserialize)]
struct KeyName {
    name: String,
}

impl KvClient {
    pub fn new(config: &KvConfig) -> Result<Self, KvError> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .build()
            .map_err(|_| KvError::ClientFailed)?;
        let path = ["storage", "kv", "namespaces", config.namespace_id.as_str()];
        let namespace = extended(&config.api_url, &path)?;
        Ok(Self {
            http,
            namespace,
            token: config.api_token.clone(),
        })
    }

    /// Stores `value`; with a life, it is gone after that many seconds.
    pub async fn put(
        &self,
        key: &str,
        value: Vec<u8>,
        life_secs: Option<u64>,
    ) -> Result<(), KvError> {
        let mut url = extended(&self.namespace, &["values", key])?;
        if let Some(secs) = life_secs {
            let secs = secs.max(SHORTEST_LIFE_SECS).to_string();
            url.query_pairs_mut().append_pair("expiration_ttl", &secs);
        }
        let answer = self.send(self.http.put(url).body(value)).await?;
        let envelope: Envelope<serde::de::IgnoredAny> = read_json(answered(answer)?).await?;
        if envelope.success {
            Ok(())
        } else {
            Err(KvError::BadAnswer)
        }
    }

    /// The value, `None` where there is none. One that is longer than `longest_bytes` is not ours.
    pub async fn find(&self, key: &str, longest_bytes: usize) -> Result<Option<Vec<u8>>, KvError> {
        let url = extended(&self.namespace, &["values", key])?;
        let answer = self.send(self.http.get(url)).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        read_value(answered(answer)?, longest_bytes).await.map(Some)
    }

    /// The names that begin with `prefix`: the first thousand, far more than a list has segments.
    pub async fn find_keys(&self, prefix: &str) -> Result<Vec<String>, KvError> {
        let mut url = extended(&self.namespace, &["keys"])?;
        url.query_pairs_mut().append_pair("prefix", prefix);
        let answer = self.send(self.http.get(url)).await?;
        let envelope: Envelope<Vec<KeyName>> = read_json(answered(answer)?).await?;
        let keys = envelope
            .result
            .filter(|_| envelope.success)
            .ok_or(KvError::BadAnswer)?;
        Ok(keys.into_iter().map(|key| key.name).collect())
    }

    async fn send(&self, mut request: reqwest::RequestBuilder) -> Result<Response, KvError> {
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        request.send().await.map_err(|error| classify(&error))
    }
}

/// `base` with these segments, each percent-encoded: a key may hold slashes.
fn extended(base: &Url, segments: &[&str]) -> Result<Url, KvError> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| KvError::BadAddress)?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}

fn answered(answer: Response) -> Result<Response, KvError> {
    let status = answer.status();
    match status {
        _ if status.is_success() => Ok(answer),
        StatusCode::TOO_MANY_REQUESTS => Err(KvError::RateLimited {
            retry_after: retry_after(&answer),
        }),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(KvError::Unauthorized),
        _ if status.is_server_error() => Err(KvError::Failed {
            status: status.as_u16(),
        }),
        _ => Err(KvError::Refused {
            status: status.as_u16(),
        }),
    }
}

fn retry_after(answer: &Response) -> Option<Duration> {
    let text = answer
        .headers()
        .get(reqwest::header::RETRY_AFTER)?
        .to_str()
        .ok()?;
    text.parse().ok().map(Duration::from_secs)
}

async fn read_json<T: serde::de::DeserializeOwned>(answer: Response) -> Result<T, KvError> {
    let json = read_value(answer, LONGEST_ANSWER_BYTES).await?;
    serde_json::from_slice(&json).map_err(|_| KvError::BadAnswer)
}

async fn read_value(mut answer: Response, longest_bytes: usize) -> Result<Vec<u8>, KvError> {
    let mut value = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| classify(&error))? {
        if value.len() + chunk.len() > longest_bytes {
            return Err(KvError::ValueTooLong);
        }
        value.extend_from_slice(&chunk);
    }
    Ok(value)
}

fn classify(error: &reqwest::Error) -> KvError {
    if error.is_timeout() {
        KvError::TimedOut
    } else if error.is_body() || error.is_decode() {
        KvError::BadAnswer
    } else {
        KvError::Unreachable
    }
}
