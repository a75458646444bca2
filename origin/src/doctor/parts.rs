//! Each part by itself: how it is reached, and what can be wrong with it.

use std::error::Error;

use shared::{
    KV_HEAD_KEY, KeySet, ListMessage, MAX_MESSAGE_BYTES, NativeVerifier, UnixSeconds,
    UnverifiedHead,
};
use sqlx::AnyPool;

use super::Finding;
use crate::cache;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, KvConfig, MailWay};
use crate::keys::{self, KeySource};
use crate::mail::Transport;
use crate::publisher::kv_client::{KvClient, KvError};
use crate::redis_server::Mistrust;
use crate::store::{self, Schema, list};

/// No edge reads it, and KV forgets it after a minute.
const KV_PROBE_KEY: &str = "doctor";
/// More than this between two clocks, and cut-offs begin to be late.
const CLOCK_MAY_DIFFER_SECS: f64 = 5.0;

pub(super) fn issuer(config: &Config) -> Finding {
    let text = &config.tokens.issuer;
    if text.starts_with("https:") {
        return Finding::ok("issuer", text);
    }
    Finding::doubtful(
        "issuer",
        text,
        "name the https address that clients use in PORTCULLIS_ISSUER, unless this is for trying out",
    )
}

/// Reads what is there and makes nothing.
pub(super) fn keys(config: &Config) -> Finding {
    match keys::load(config) {
        Ok(None) => Finding::doubtful(
            "keys",
            format!(
                "not all of them are in {} yet",
                config.stores.data_dir.display()
            ),
            "the next start makes what is missing, and a new token key signs only once edges have it: \
             if it should be there, restore it, or check PORTCULLIS_DATA_DIR and PORTCULLIS_SIGNING_ALG",
        ),
        Ok(Some(keys)) => {
            let kids: Vec<_> = keys.token.all().iter().map(|key| key.kid.clone()).collect();
            let source = match keys.token.source() {
                KeySource::Setting => "PORTCULLIS_SIGNING_KEY".to_owned(),
                KeySource::Folder(folder) => folder.display().to_string(),
            };
            Finding::ok("keys", format!("{} from {source}", kids.join(", ")))
        }
        Err(error) => Finding::broken(
            "keys",
            reason(&error),
            "repair or restore the key; a lost token key is replaced by the next start, a lost list \
             key must be pinned anew at every edge (LIST_KEYS)",
        ),
    }
}

pub(super) fn edge_secret(config: &Config) -> Finding {
    match config.lanes.edge_secret {
        Some(_) => Finding::ok("edge secret", "set"),
        None => Finding::doubtful(
            "edge secret",
            "not set: edges hear of revocations through KV alone",
            "set PORTCULLIS_EDGE_SECRET here and EDGE_SECRET at the edge",
        ),
    }
}

pub(super) async fn database(config: &Config) -> Vec<Finding> {
    let pool = match store::open(&config.stores.database_url).await {
        Ok(pool) => pool,
        Err(error) => {
            return vec![Finding::broken(
                "database",
                reason(&error),
                "start it, or correct DATABASE_URL",
            )];
        }
    };
    let schema = schema(&pool).await;
    let is_usable = schema.state == super::State::Ok;
    let mut findings = vec![Finding::ok("database", "answers"), schema];
    if is_usable {
        findings.push(clock(&pool).await);
        findings.push(newest_list(&pool).await);
    }
    findings
}

async fn schema(pool: &AnyPool) -> Finding {
    match store::find_schema(pool).await {
        Schema::Current => Finding::ok("schema", "up to date"),
        Schema::Missing => Finding::doubtful(
            "schema",
            "there is none yet",
            "run `portcullis migrate`; the first start does it as well",
        ),
        Schema::Older { version } => Finding::doubtful(
            "schema",
            format!("is version {version}"),
            "run `portcullis migrate`; the next start does it as well",
        ),
        Schema::Newer { version } => Finding::broken(
            "schema",
            format!("is version {version}, newer than this program"),
            "install the newer portcullis, or restore the database from before it",
        ),
    }
}

async fn clock(pool: &AnyPool) -> Finding {
    match store::find_time(pool).await {
        Ok(None) => Finding::ok("clock", "there is no other to compare it with"),
        Ok(Some(theirs)) => {
            let ahead_secs = SystemClock.now().secs_since(theirs);
            let found = format!("{ahead_secs:+.1} s from the database's");
            if ahead_secs.abs() <= CLOCK_MAY_DIFFER_SECS {
                Finding::ok("clock", found)
            } else {
                Finding::broken("clock", found, "keep the clocks of both machines by NTP")
            }
        }
        Err(error) => Finding::broken("clock", reason(&error), "see the database"),
    }
}

async fn newest_list(pool: &AnyPool) -> Finding {
    let newest = match list::find_summary(pool).await {
        Ok(newest) => newest,
        Err(error) => return Finding::broken("list", reason(&error), "see the database"),
    };
    let advice = "run `portcullis serve`: no edge lets a protected request pass without a list";
    match newest {
        None => Finding::doubtful("list", "none was ever published", advice),
        Some(newest) if newest.expires_at <= SystemClock.now() => Finding::doubtful(
            "list",
            format!("version {} has ended", newest.version),
            advice,
        ),
        Some(newest) => Finding::ok("list", format!("version {} is alive", newest.version)),
    }
}

pub(super) async fn redis(config: &Config) -> Finding {
    let Some(server) = &config.stores.redis else {
        return Finding::ok("redis", "not configured: the database answers");
    };
    match cache::examine(server, config.stores.redis_may_take).await {
        Ok(cache::Trust::Believed) => Finding::ok("redis", "answers, and never evicts"),
        Ok(cache::Trust::MayEvict) => Finding::doubtful(
            "redis",
            "may evict keys, so it is not believed and the database answers instead",
            "set maxmemory-policy noeviction",
        ),
        Err(error) => match Mistrust::behind(&error) {
            Some(mistrust) => Finding::broken("redis", mistrust.to_string(), mistrust.advice()),
            None => Finding::broken(
                "redis",
                reason(&error),
                "start it, or correct REDIS_URL; without it the database answers",
            ),
        },
    }
}

pub(super) async fn kv(config: &Config) -> Finding {
    let Some(kv) = &config.lanes.kv else {
        return Finding::doubtful(
            "kv",
            "not configured: edges lose the list with the origin",
            "set PORTCULLIS_KV_API_URL, PORTCULLIS_KV_NAMESPACE_ID and PORTCULLIS_KV_API_TOKEN",
        );
    };
    match write_and_find_head(kv).await {
        Ok(None) => Finding::doubtful("kv", "holds no list", "run `portcullis serve`"),
        Ok(Some(value)) => judge_head(config, &value).await,
        Err(error @ KvError::Unauthorized) => Finding::broken(
            "kv",
            error.to_string(),
            "give the token the permission to edit Workers KV",
        ),
        Err(error) => Finding::broken(
            "kv",
            error.to_string(),
            "check PORTCULLIS_KV_API_URL and PORTCULLIS_KV_NAMESPACE_ID",
        ),
    }
}

/// Writes first: a token that may only read publishes nothing.
async fn write_and_find_head(kv: &KvConfig) -> Result<Option<Vec<u8>>, KvError> {
    let client = KvClient::new(kv)?;
    let value = b"portcullis doctor was here".to_vec();
    client.put(KV_PROBE_KEY, value, Some(60)).await?;
    client.find(KV_HEAD_KEY, MAX_MESSAGE_BYTES).await
}

async fn judge_head(config: &Config, value: &[u8]) -> Finding {
    const NOT_OURS: &str = "see that replicas share one list key (PORTCULLIS_LIST_KEY) and that no \
                            other origin publishes to this namespace";
    match read_head(config, value).await {
        None => Finding::broken(
            "kv",
            "holds a list that this list key did not sign",
            NOT_OURS,
        ),
        Some(expires_at) if expires_at <= SystemClock.now() => Finding::doubtful(
            "kv",
            "holds a list that has ended",
            "run `portcullis serve`",
        ),
        Some(_) => Finding::ok("kv", "holds a list of ours that is alive"),
    }
}

/// When it ends, if we signed it.
async fn read_head(config: &Config, value: &[u8]) -> Option<UnixSeconds> {
    let keys = keys::load(config).ok()??;
    let pins = serde_json::json!({ "keys": [keys.list.public_jwk()] });
    let pins = KeySet::from_value(&pins).ok()?;
    let message = ListMessage::parse(value).ok()?;
    let head = UnverifiedHead::parse(&message.head).ok()?;
    let signed = head.verify_signature(&pins, &NativeVerifier).await.ok()?;
    Some(signed.head().exp)
}

pub(super) async fn mail(config: &Config) -> Finding {
    let folder = match &config.mail.way {
        MailWay::Folder(folder) => Some(folder.display().to_string()),
        MailWay::Smtp(_) => None,
    };
    let reached = match Transport::open(&config.mail.way) {
        Ok(transport) => transport.reach().await,
        Err(error) => return Finding::broken("mail", reason(&error), "correct the setting"),
    };
    match (reached, folder) {
        (Ok(()), None) => Finding::ok("mail", "the mail server answers"),
        (Ok(()), Some(folder)) => Finding::doubtful(
            "mail",
            format!("goes into {folder}, to nobody"),
            "set PORTCULLIS_SMTP_URL and PORTCULLIS_MAIL_FROM",
        ),
        (Err(error), _) => Finding::broken(
            "mail",
            reason(&error),
            "check PORTCULLIS_SMTP_URL: host, port, user and password",
        ),
    }
}

/// The error with its causes.
fn reason(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
