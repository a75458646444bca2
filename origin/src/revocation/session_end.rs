//! The end of one session: its row is closed, which closes its refresh tokens with it, and the
//! revocation is recorded. A log-out that leaves a way to new tokens is not one.

use shared::{Scope, TokenId, UnixSeconds};

use super::doubt::Doubt;
use super::{Order, Receipt, Revoking, Written, audit_record, new_revocation};
use crate::app::App;
use crate::error::ApiError;
use crate::store::audit::Event;
use crate::store::in_time::InTime;
use crate::store::revocations::NewRevocation;
use crate::store::{self, session_end, sessions};

/// Which session ends, why, and by whom.
#[derive(Debug)]
pub struct SessionEnd<'a> {
    pub sid: &'a str,
    pub reason: &'a str,
    /// As in [`Order`].
    pub actor: &'a str,
    pub event: Event,
    pub address: Option<&'a str>,
    /// The token in hand, so that Redis can name it as well as its session.
    pub token: Option<(&'a TokenId, UnixSeconds)>,
}

/// In one statement where the database can and Redis knows of the doubt; else in a transaction.
pub async fn end_session(app: &App, end: &SessionEnd<'_>) -> Result<Receipt, ApiError> {
    let doubt = Doubt::raise(app, Scope::Session, end.sid).await?;
    if store::writes_several_tables_at_once(&app.pool) && !doubt.must_raise_epoch() {
        end_at_once(app, doubt, end).await
    } else {
        end_in_transaction(app, doubt, end).await
    }
}

async fn end_at_once(app: &App, doubt: Doubt, end: &SessionEnd<'_>) -> Result<Receipt, ApiError> {
    // Before the time is taken: a connection may be waited for as well.
    let mut connection = app.pool.acquire().in_time().await?;
    let order = order(app, end, app.clock.now());
    let new = new_revocation(app, &doubt, &order);
    let subject = format!("session:{}", end.sid);
    let record = audit_record(&new, &order, &subject)?;
    // The statement waits for a refresh that holds the session's row, and its token counts, too.
    let kept_secs = shared::retain_until(end_of_token(app, UnixSeconds::EPOCH)).as_secs();
    let recorded = session_end::record(&mut connection, &new, kept_secs, &record).await?;
    drop(connection);
    let committed_at = app.clock.now();
    app.wake.notify_one();
    let written = Written {
        doubt,
        lists_end: recorded
            .lists_end
            .map(|end| after_wait(end, new.recorded_at, committed_at)),
        new: NewRevocation {
            retain_until: recorded.retain_until,
            ..new
        },
    };
    Ok(written.announce(app, &order, committed_at).await)
}

/// The statement saw the lists of when it began. Those that went out while it waited end later, by as
/// much as it waited.
fn after_wait(
    lists_end: UnixSeconds,
    began_at: UnixSeconds,
    committed_at: UnixSeconds,
) -> UnixSeconds {
    let waited_millis = committed_at
        .as_millis()
        .saturating_sub(began_at.as_millis());
    UnixSeconds::from_millis(lists_end.as_millis() + waited_millis)
}

async fn end_in_transaction(
    app: &App,
    doubt: Doubt,
    end: &SessionEnd<'_>,
) -> Result<Receipt, ApiError> {
    let mut tx = store::begin(&app.pool).await?;
    let last_token = sessions::close(&mut tx, end.sid, app.clock.now()).await?;
    let now = app.clock.now();
    // The row is locked: no token of it is dated later, even by a clock that is ahead.
    let order = order(app, end, last_token.map_or(now, |last| last.max(now)));
    Revoking { tx, doubt }.record(app, &order).await
}

fn order<'a>(app: &App, end: &SessionEnd<'a>, last_token_at: UnixSeconds) -> Order<'a> {
    Order {
        before_secs: None,
        latest_exp: end_of_token(app, last_token_at),
        reason: end.reason,
        actor: end.actor,
        event: end.event,
        address: end.address,
        token: end.token,
    }
}

fn end_of_token(app: &App, issued_at: UnixSeconds) -> UnixSeconds {
    issued_at.plus_secs(app.issuer.lifetime_secs())
}
