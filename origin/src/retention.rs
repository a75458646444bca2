//! What is kept for a time and no longer: the audit log, mails that are over, tokens that were never
//! used. Any replica may do it, and several at once do no harm.

use std::time::Duration;

use shared::UnixSeconds;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::store::{audit, mailed_tokens, mails};

const INTERVAL: Duration = Duration::from_mins(1);
const MAILS_KEPT_SECS: u64 = 7 * 24 * 3600;
/// A statement deletes no more than this: others want the table, too.
const BATCH: u32 = 5000;

/// Until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = enforce(&app, app.clock.now()).await {
            metrics::counter!("portcullis_retention_failures_total").increment(1);
            tracing::warn!(%error, "what is too old stays until the next round");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

/// One round of it.
pub async fn enforce(app: &App, now: UnixSeconds) -> sqlx::Result<()> {
    let audited_from = now.minus_secs(app.config.stores.audit_days * 24 * 3600);
    while audit::delete_before(&app.pool, audited_from, BATCH).await? == u64::from(BATCH) {}
    mails::delete_ended(&app.pool, now.minus_secs(MAILS_KEPT_SECS)).await?;
    mailed_tokens::delete_expired(&app.pool, now).await
}
