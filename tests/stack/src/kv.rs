//! The local Workers KV by Cloudflare's REST API: what the origin publishes, and what an attacker
//! or an outage would leave there.

use anyhow::{Context, ensure};
use reqwest::{Client, Method, RequestBuilder, StatusCode};

use crate::wrangler_config::NAMESPACE_ID;

#[derive(Debug)]
pub struct Kv {
    api: String,
    http: Client,
}

impl Kv {
    pub(crate) fn new(api: String) -> Self {
        Self {
            api,
            http: Client::new(),
        }
    }

    /// The value's bytes, or nothing where there is no such key.
    pub async fn find(&self, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let answer = self.request(Method::GET, key).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = answer.error_for_status().context("KV get")?;
        Ok(Some(answer.bytes().await?.to_vec()))
    }

    pub async fn put(&self, key: &str, value: Vec<u8>) -> anyhow::Result<()> {
        let answer = self.request(Method::PUT, key).body(value).send().await?;
        ensure!(answer.status().is_success(), "KV put: {}", answer.status());
        Ok(())
    }

    pub async fn delete(&self, key: &str) -> anyhow::Result<()> {
        let answer = self.request(Method::DELETE, key).send().await?;
        ensure!(
            answer.status().is_success(),
            "KV delete: {}",
            answer.status()
        );
        Ok(())
    }

    fn request(&self, method: Method, key: &str) -> RequestBuilder {
        let key = key.replace('/', "%2F");
        let url = format!(
            "{}/storage/kv/namespaces/{NAMESPACE_ID}/values/{key}",
            self.api
        );
        self.http.request(method, url)
    }
}
