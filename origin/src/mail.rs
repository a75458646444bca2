//! Mail to users. Whoever causes a mail writes it into the outbox, in the transaction of the deed; a
//! task sends it later, so a slow server delays no request and a crash loses nothing. A mail goes
//! out at least once: after a crash between sending and noting it, a second time.

mod letters;
mod message;
mod sender;
mod transport;

use shared::UnixSeconds;

pub use sender::{Step, run, send_next};
pub use transport::{OpenError, Transport};

use crate::error::ApiError;
use crate::random;
use crate::store::Transaction;
use crate::store::mails::{self, Kind, NewMail};

/// Who waits longer for a way back in has asked again.
const RESET_PATIENCE_SECS: u64 = 3600;
const PATIENCE_SECS: u64 = 24 * 3600;

/// How long it is tried to send a mail before it is given up.
#[must_use]
pub fn patience_secs(kind: Kind) -> u64 {
    match kind {
        Kind::ResetLink => RESET_PATIENCE_SECS,
        Kind::VerifyEmail | Kind::PasswordWasReset | Kind::PasswordSet | Kind::PasswordChanged => {
            PATIENCE_SECS
        }
    }
}

/// Orders a mail. After the commit, notify `App::mail_wake`: it is sent at once.
pub async fn enqueue(
    tx: &mut Transaction,
    kind: Kind,
    recipient: &str,
    cause_address: Option<&str>,
    now: UnixSeconds,
) -> Result<(), ApiError> {
    let mail = NewMail {
        id: random::new_id()?,
        kind,
        recipient,
        cause_address,
        give_up_at: now.plus_secs(patience_secs(kind)),
    };
    mails::insert(tx, &mail, now).await?;
    Ok(())
}
