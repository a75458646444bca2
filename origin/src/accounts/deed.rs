//! What an operator does to an account: who, why, and from where, for the audit log.

use crate::app::App;
use crate::error::ApiError;
use crate::random;
use crate::sessions::user_actor;
use crate::store::Transaction;
use crate::store::audit::{self, Event};

#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// As in the audit log: `command-line`, `user:{id}`.
    pub actor: &'a str,
    pub reason: &'a str,
    pub address: Option<&'a str>,
}

impl Deed<'_> {
    pub(super) async fn note(
        &self,
        app: &App,
        tx: &mut Transaction,
        user_id: &str,
        event: Event,
        detail: &str,
    ) -> Result<(), ApiError> {
        let record = audit::Record {
            actor: Some(self.actor),
            subject: Some(&user_actor(user_id)),
            address: self.address,
            detail: Some(detail),
            ..audit::Record::new(random::new_id()?, event)
        };
        audit::insert(tx, &record, app.clock.now()).await?;
        Ok(())
    }
}
