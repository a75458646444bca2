//! Several sessions that end with one deed: a revocation each, one transaction. A crash ends all of
//! them or none.

use futures_util::future::join_all;
use shared::Scope;

use super::doubt::Doubt;
use super::{Order, Receipt};
use crate::app::App;
use crate::error::ApiError;
use crate::store::{self, Transaction};

/// The sessions' rows are closed in `tx`; this records why, and commits.
pub(crate) async fn end_together(
    app: &App,
    mut tx: Transaction,
    sids: &[String],
    order: &Order<'_>,
) -> Result<Vec<Receipt>, ApiError> {
    let mut written = Vec::with_capacity(sids.len());
    for sid in sids {
        let doubt = Doubt::raise(app, Scope::Session, sid).await?;
        written.push(doubt.write(app, &mut tx, order).await?);
    }
    store::commit(tx).await?;
    let committed_at = app.clock.now();
    app.wake.notify_one();
    let announced = written
        .into_iter()
        .map(|revocation| revocation.announce(app, order, committed_at));
    Ok(join_all(announced).await)
}
