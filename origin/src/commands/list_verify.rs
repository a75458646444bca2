//! `portcullis list verify`: whether edges get what the database says, and what to do if not.

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use serde_json::json;
use shared::{KeySet, ListPins};
use url::Url;

use crate::clock::SystemClock;
use crate::config::{Config, ConfigError};
use crate::publisher::kv_client::KvClient;
use crate::publisher::verify::{self, PullClient, Source, Subject, Verdict};
use crate::{keys, store};

pub(super) const VERIFY_HELP: &str = "\
Examples:
  portcullis list verify
  portcullis list verify --origin https://id.example.org --json | jq '.findings[].code'

Reads KV where PORTCULLIS_KV_API_URL names it, and the origin where PORTCULLIS_EDGE_SECRET is set.

Exit codes: 0 all agree; 1 something differs or cannot be read; 2 the command line or the
configuration is wrong.";

#[derive(Debug, Args)]
pub(super) struct VerifyList {
    /// Where the origin answers edges; by default where `PORTCULLIS_LISTEN` says.
    #[arg(long, value_name = "URL")]
    origin: Option<Url>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown<'v> {
    agrees: bool,
    #[serde(flatten)]
    verdict: &'v Verdict,
}

pub(super) async fn verify(config: &Config, command: &VerifyList) -> anyhow::Result<()> {
    let sources = sources(config, command)?;
    let pool = store::open(&config.stores.database_url).await?;
    let subject = Subject {
        pool: &pool,
        sources: &sources,
        pins: &pins(config)?,
        heartbeat_secs: config.list.heartbeat_secs,
    };
    let verdict = verify::verify(&subject, &SystemClock).await?;
    let agrees = verdict.findings.is_empty();
    if command.json {
        let verdict = &verdict;
        super::print_line(&serde_json::to_string(&Shown { agrees, verdict })?)?;
    } else {
        print_text(&verdict)?;
    }
    match verdict.findings.len() {
        0 => Ok(()),
        1 => bail!("the list is not as it should be: see the finding above"),
        count => bail!("the list is not as it should be: see the {count} findings above"),
    }
}

/// The lanes that this configuration names.
fn sources(config: &Config, command: &VerifyList) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    if let Some(kv) = &config.lanes.kv {
        sources.push(Source::Kv(KvClient::new(kv)?));
    }
    if let Some(secret) = &config.lanes.edge_secret {
        let origin = match &command.origin {
            Some(origin) => origin.clone(),
            None => own_address(config)?,
        };
        sources.push(Source::Pull(PullClient::new(origin, secret.clone())?));
    }
    if sources.is_empty() {
        return Err(ConfigError {
            variable: "PORTCULLIS_EDGE_SECRET",
            problem: "is not set, and neither is PORTCULLIS_KV_API_URL: there is nothing to read"
                .to_owned(),
        }
        .into());
    }
    Ok(sources)
}

/// An origin that listens on every address is asked on this machine's own.
fn own_address(config: &Config) -> anyhow::Result<Url> {
    let mut address = config.http.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    Ok(format!("http://{address}").parse()?)
}

/// What an edge of this origin is given: its list key and its name.
fn pins(config: &Config) -> anyhow::Result<ListPins> {
    let keys = keys::load_or_create(config)?;
    let keys = json!({ "keys": [keys.list.public_jwk()] });
    Ok(ListPins {
        issuer: config.tokens.issuer.clone(),
        keys: KeySet::from_value(&keys)?,
    })
}

fn print_text(verdict: &Verdict) -> anyhow::Result<()> {
    let version = verdict
        .version
        .map_or_else(|| "none".to_owned(), |version| version.to_string());
    super::print_line(&format!("newest in the database: {version}"))?;
    for lane in &verdict.lanes {
        super::print_line(&format!(
            "{}: version {}, {:.1} s old, {} entries, {} segments",
            lane.lane, lane.version, lane.age_secs, lane.entries, lane.segments
        ))?;
    }
    for finding in &verdict.findings {
        super::print_line(&format!("✗ {} ({})", finding, finding.code()))?;
        super::print_line(&format!("  {}", finding.remedy()))?;
    }
    if verdict.findings.is_empty() {
        super::print_line("✓ edges get what the database says")?;
    }
    Ok(())
}
