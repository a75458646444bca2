//! An HTTP client that speaks the API of origin and edge as an application would.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(90);

/// An answer, taken apart.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

/// What a login gives.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// Talks to one base URL, the origin's or the edge's.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

impl Answer {
    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The stable code of a problem document.
    #[must_use]
    pub fn code(&self) -> String {
        self.string("code")
    }

    /// The `detail` of a problem document.
    #[must_use]
    pub fn detail(&self) -> String {
        self.string("detail")
    }

    /// A member of the body, empty where there is none.
    #[must_use]
    pub fn string(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_default().to_owned()
    }

    /// The answer itself if it has this status, or an error that shows it.
    pub fn expect(self, status: u16) -> anyhow::Result<Self> {
        ensure!(
            self.status == status,
            "expected {status}, got {}: {}",
            self.status,
            self.text
        );
        Ok(self)
    }
}

impl Client {
    pub fn new(base: String) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .no_proxy()
            .build()?;
        Ok(Self { http, base })
    }

    /// A request to `path`, to be completed by the caller.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<Answer> {
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await.context("the answer's body")?;
        Ok(Answer {
            status,
            headers,
            text,
        })
    }

    pub async fn get(&self, path: &str, token: &str) -> anyhow::Result<Answer> {
        self.send(self.request(Method::GET, path).bearer_auth(token))
            .await
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(
            self.request(Method::POST, path)
                .bearer_auth(token)
                .json(body),
        )
        .await
    }

    pub async fn register(&self, email: &str, password: &str) -> anyhow::Result<Answer> {
        let body = json!({ "email": email, "password": password });
        self.send(self.request(Method::POST, "/register").json(&body))
            .await
    }

    pub async fn log_in(&self, email: &str, password: &str) -> anyhow::Result<Tokens> {
        let body = json!({ "email": email, "password": password });
        let answer = self
            .send(self.request(Method::POST, "/login").json(&body))
            .await?;
        let answer = answer.expect(200)?;
        Ok(Tokens {
            access: answer.string("access_token"),
            refresh: answer.string("refresh_token"),
        })
    }

    pub async fn refresh(&self, refresh_token: &str) -> anyhow::Result<Answer> {
        let body = json!({ "refresh_token": refresh_token });
        self.send(self.request(Method::POST, "/refresh").json(&body))
            .await
    }

    pub async fn log_out(&self, token: &str) -> anyhow::Result<Answer> {
        self.send(self.request(Method::POST, "/logout").bearer_auth(token))
            .await
    }

    pub async fn log_out_everywhere(&self, token: &str) -> anyhow::Result<Answer> {
        self.send(self.request(Method::POST, "/logout-all").bearer_auth(token))
            .await
    }

    pub async fn me(&self, token: &str) -> anyhow::Result<Answer> {
        self.get("/me", token).await
    }

    /// A path that only the edge guards: the origin answers it 404 whoever asks, so a refusal is the
    /// edge's own and not one of the origin's passed on.
    pub async fn unguarded(&self, token: &str) -> anyhow::Result<Answer> {
        self.get("/guarded-by-the-edge-alone", token).await
    }
}
