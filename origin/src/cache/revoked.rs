//! Revocations in Redis: put in doubt, written, looked up.

use redis::Pipeline;
use shared::{Claims, RevocationStatus, Scope, UnixSeconds};

use super::layout::{COMPLETE, Key, WAKE_CHANNEL};
use super::{RedisCache, lock};

/// What Redis says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheAnswer {
    Status(RevocationStatus),
    /// Redis is away, incomplete, or in doubt about this token.
    AskDatabase,
}

/// Whether Redis took what it was told. If not, the epoch must be raised.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Yes,
    No,
}

/// One key to be written after the commit.
#[derive(Debug, Clone)]
pub struct Written {
    pub key: Key,
    /// For the scopes user and issuer: the cut-off in Unix seconds.
    pub before_secs: Option<u64>,
    pub recorded_at: UnixSeconds,
    pub retain_until: UnixSeconds,
}

/// Sets a cut-off unless a later one is there: they combine by max.
const SET_LATER_CUT_OFF: &str = "
    local there = tonumber(redis.call('GET', KEYS[1]))
    if not there or there < tonumber(ARGV[1]) then
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    end
    return 1";

impl RedisCache {
    /// From here until [`RedisCache::write_revoked`] the database answers for these names.
    pub async fn mark_in_doubt(&self, keys: &[Key], revocation: &str, life_secs: u64) -> Told {
        let mut pipeline = Pipeline::new();
        pipeline.atomic();
        for key in keys {
            pipeline
                .cmd("SADD")
                .arg(key.doubt())
                .arg(revocation)
                .ignore();
            pipeline
                .cmd("EXPIRE")
                .arg(key.doubt())
                .arg(life_secs)
                .ignore();
        }
        self.tell(&pipeline).await
    }

    /// Writes the keys and ends the doubt in one step.
    pub async fn write_revoked(
        &self,
        written: &[Written],
        revocation: &str,
        now: UnixSeconds,
    ) -> Told {
        let mut pipeline = Pipeline::new();
        pipeline.atomic();
        for entry in written {
            add_write(&mut pipeline, entry, now);
            pipeline
                .cmd("SREM")
                .arg(entry.key.doubt())
                .arg(revocation)
                .ignore();
        }
        pipeline
            .cmd("PUBLISH")
            .arg(WAKE_CHANNEL)
            .arg(revocation)
            .ignore();
        let told = self.tell(&pipeline).await;
        if told == Told::Yes {
            lock(&self.0.confirmed).push(revocation.to_owned());
        }
        told
    }

    async fn tell(&self, pipeline: &Pipeline) -> Told {
        self.query::<()>(pipeline)
            .await
            .map_or(Told::No, |()| Told::Yes)
    }

    /// One round trip. "Not revoked" only from a complete Redis that has no doubt about the token.
    pub async fn status(&self, claims: &Claims) -> CacheAnswer {
        let Some(mut link) = self.link() else {
            return CacheAnswer::AskDatabase;
        };
        let marker = self.epoch().and_then(|epoch| link.marker(epoch));
        let keys = keys_of(claims);
        let Some((values, doubts)) = self
            .query_link::<(Vec<Option<String>>, u64)>(&mut link, &look_up(&keys))
            .await
        else {
            return CacheAnswer::AskDatabase;
        };
        let found = keys
            .iter()
            .zip(values.iter().skip(1))
            .find_map(|(key, value)| revoked_by(key.scope, value.as_deref()?, claims.iat));
        let complete = marker.is_some() && values.first() == Some(&marker);
        match found {
            Some(status) => CacheAnswer::Status(status),
            None if complete && doubts == 0 => CacheAnswer::Status(RevocationStatus::NotRevoked),
            None => CacheAnswer::AskDatabase,
        }
    }
}

pub(super) fn add_write(pipeline: &mut Pipeline, entry: &Written, now: UnixSeconds) {
    let life_millis = entry
        .retain_until
        .as_millis()
        .saturating_sub(now.as_millis());
    if life_millis == 0 {
        return;
    }
    let key = entry.key.revoked();
    match entry.before_secs {
        Some(cut_off) => pipeline
            .cmd("EVAL")
            .arg(SET_LATER_CUT_OFF)
            .arg(1)
            .arg(key)
            .arg(cut_off)
            .arg(life_millis)
            .ignore(),
        None => pipeline
            .cmd("SET")
            .arg(key)
            .arg(crate::iso_time::format(entry.recorded_at))
            .arg("PX")
            .arg(life_millis)
            .ignore(),
    };
}

/// Most particular first, as the list at the edge has it.
fn keys_of(claims: &Claims) -> Vec<Key> {
    let mut keys = vec![Key::new(Scope::Token, claims.jti.as_str())];
    keys.extend(
        claims
            .sid
            .as_ref()
            .map(|sid| Key::new(Scope::Session, sid.as_str())),
    );
    keys.push(Key::new(Scope::User, claims.sub.as_str()));
    keys.push(Key::new(Scope::Issuer, claims.iss.as_str()));
    keys
}

fn look_up(keys: &[Key]) -> Pipeline {
    let mut pipeline = Pipeline::new();
    pipeline.cmd("MGET").arg(COMPLETE);
    for key in keys {
        pipeline.arg(key.revoked());
    }
    pipeline.cmd("EXISTS");
    for key in keys {
        pipeline.arg(key.doubt());
    }
    pipeline
}

fn revoked_by(scope: Scope, value: &str, iat: UnixSeconds) -> Option<RevocationStatus> {
    let is_cut_off = || {
        value
            .parse()
            .is_ok_and(|secs| UnixSeconds::from_secs(secs) > iat)
    };
    match scope {
        Scope::Token => Some(RevocationStatus::TokenRevoked),
        Scope::Session => Some(RevocationStatus::SessionRevoked),
        Scope::User => is_cut_off().then_some(RevocationStatus::UserCutOff),
        Scope::Issuer => is_cut_off().then_some(RevocationStatus::IssuerCutOff),
    }
}
