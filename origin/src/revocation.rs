//! Revoking, and asking whether something is revoked. A revocation and whatever goes with it are one
//! transaction; Redis, the publisher and the answer come after its commit, and a loss of any of
//! them loses nothing.

mod by_name;
mod cut_off;
mod doubt;
mod receipt;
mod session_end;
mod together;

use doubt::Doubt;
use shared::{Claims, RevocationStatus, Scope, TokenId, UnixSeconds};

pub(crate) use by_name::check_reason;
pub use by_name::{Request, revoke_by_name};
pub(crate) use cut_off::{cut_off_tokens, end_every_session};
pub use receipt::{Progress, Reader, Receipt, find_receipt};
pub use session_end::{SessionEnd, end_session};
pub(crate) use together::end_together;

use crate::app::App;
use crate::cache::CacheAnswer;
use crate::error::ApiError;
use crate::random;
use crate::store::audit::{self, Event};
use crate::store::revocations::{self, NewRevocation, TokenNames};
use crate::store::{self, Transaction, cache_state, receipts};

/// A revocation under way: its names are in doubt, its transaction is open. Change what goes with it
/// through `tx`, then `record` it. Dropped before that, nothing has happened.
#[derive(Debug)]
pub struct Revoking {
    pub tx: Transaction,
    doubt: Doubt,
}

/// What is revoked, why, and by whom.
#[derive(Debug)]
pub struct Order<'a> {
    /// For the scopes user and issuer: tokens issued before this second.
    pub before_secs: Option<u64>,
    /// The end of the last token that it can concern.
    pub latest_exp: UnixSeconds,
    pub reason: &'a str,
    /// `user:{sub}`, `client:{id}` or `command-line`.
    pub actor: &'a str,
    pub event: Event,
    pub address: Option<&'a str>,
    /// The token in hand, so that Redis can name it as well as its session.
    pub token: Option<(&'a TokenId, UnixSeconds)>,
}

impl Revoking {
    pub async fn begin(app: &App, scope: Scope, name: &str) -> Result<Self, ApiError> {
        let (doubt, tx) = tokio::join!(Doubt::raise(app, scope, name), store::begin(&app.pool));
        Ok(Self {
            tx: tx?,
            doubt: doubt?,
        })
    }

    /// Goes on in a transaction that has found out that there is something to revoke.
    pub async fn begin_in(
        tx: Transaction,
        app: &App,
        scope: Scope,
        name: &str,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            tx,
            doubt: Doubt::raise(app, scope, name).await?,
        })
    }

    /// Writes the revocation with its audit row and commits; then tells Redis and the publisher.
    pub async fn record(mut self, app: &App, order: &Order<'_>) -> Result<Receipt, ApiError> {
        let written = self.doubt.write(app, &mut self.tx, order).await?;
        store::commit(self.tx).await?;
        let committed_at = app.clock.now();
        app.wake.notify_one();
        Ok(written.announce(app, order, committed_at).await)
    }
}

/// A revocation in a transaction that is not committed yet.
#[derive(Debug)]
struct Written {
    doubt: Doubt,
    new: NewRevocation,
    lists_end: Option<UnixSeconds>,
}

impl Doubt {
    async fn write(
        self,
        app: &App,
        tx: &mut Transaction,
        order: &Order<'_>,
    ) -> Result<Written, ApiError> {
        let new = new_revocation(app, &self, order);
        let lists_end = revocations::insert(tx, &new).await?;
        let subject = format!("{}:{}", new.scope.as_str(), new.name);
        let record = audit_record(&new, order, &subject)?;
        audit::insert(tx, &record, new.recorded_at).await?;
        if self.must_raise_epoch() {
            cache_state::raise_epoch(tx).await?;
        }
        Ok(Written {
            doubt: self,
            new,
            lists_end,
        })
    }
}

impl Written {
    /// After the commit.
    async fn announce(self, app: &App, order: &Order<'_>, committed_at: UnixSeconds) -> Receipt {
        let Self {
            doubt,
            new,
            lists_end,
        } = self;
        doubt.settle(app, &new, order.token, committed_at).await;
        metrics::counter!("portcullis_revocations_total", "scope" => new.scope.as_str())
            .increment(1);
        Receipt::recorded(&new, effective_by(app, lists_end, committed_at))
    }
}

fn new_revocation(app: &App, doubt: &Doubt, order: &Order<'_>) -> NewRevocation {
    NewRevocation {
        id: doubt.id.clone(),
        scope: doubt.key.scope,
        issuer: app.issuer.name().to_owned(),
        name: doubt.key.name.clone(),
        before_secs: order.before_secs,
        reason: order.reason.to_owned(),
        actor: order.actor.to_owned(),
        recorded_at: app.clock.now(),
        retain_until: shared::retain_until(order.latest_exp),
    }
}

fn audit_record<'a>(
    new: &'a NewRevocation,
    order: &'a Order<'_>,
    subject: &'a str,
) -> Result<audit::Record<'a>, ApiError> {
    Ok(audit::Record {
        actor: Some(order.actor),
        subject: Some(subject),
        address: order.address,
        detail: Some(order.reason),
        revocation_id: Some(&new.id),
        ..audit::Record::new(random::new_id()?, order.event)
    })
}

/// The latest moment at which a revoked token can pass an edge: the end of the last list that can
/// have gone out without the revocation. A list made before the commit may still be on its way: its
/// `iat` is not later than the commit, or, by a holder of the lease whose clock is ahead, about a
/// heartbeat after that of the list before it.
fn effective_by(
    app: &App,
    lists_end: Option<UnixSeconds>,
    committed_at: UnixSeconds,
) -> UnixSeconds {
    let end_of_one_made_now =
        committed_at.plus_secs(app.config.list.lifetime_secs + app.config.list.grace_secs);
    lists_end.map_or(end_of_one_made_now, |end| {
        end.plus_secs(app.config.list.heartbeat_secs)
            .max(end_of_one_made_now)
    })
}

/// The latest moment at which an edge can decide by a list that went out before now.
pub async fn bound_of_now(app: &App) -> Result<UnixSeconds, ApiError> {
    let lists_end = receipts::find_lists_end(&app.pool).await?;
    Ok(effective_by(app, lists_end, app.clock.now()))
}

/// Redis if it may be believed, else the database.
pub async fn status(app: &App, claims: &Claims) -> Result<RevocationStatus, ApiError> {
    if let Some(cache) = &app.cache
        && let CacheAnswer::Status(status) = cache.status(claims).await
    {
        return Ok(status);
    }
    let names = TokenNames {
        issuer: &claims.iss,
        jti: claims.jti.as_str(),
        sid: claims.sid.as_ref().map_or("", |sid| sid.as_str()),
        sub: claims.sub.as_str(),
        iat_secs: claims.iat.as_secs(),
    };
    Ok(most_particular(
        &revocations::find_scopes(&app.pool, &names).await?,
    ))
}

fn most_particular(scopes: &[Scope]) -> RevocationStatus {
    [
        (Scope::Token, RevocationStatus::TokenRevoked),
        (Scope::Session, RevocationStatus::SessionRevoked),
        (Scope::User, RevocationStatus::UserCutOff),
        (Scope::Issuer, RevocationStatus::IssuerCutOff),
    ]
    .into_iter()
    .find_map(|(scope, status)| scopes.contains(&scope).then_some(status))
    .unwrap_or(RevocationStatus::NotRevoked)
}
