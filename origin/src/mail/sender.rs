//! The task that empties the outbox. Each mail is claimed for a time that is longer than sending can
//! take; what fails is tried again after growing pauses, until its time is over.

use std::time::Duration;

use shared::UnixSeconds;
use tokio_util::sync::CancellationToken;

use super::letters::{Letter, Letterhead};
use super::message::{BuildError, build};
use super::transport::{DeliveryError, Transport};
use crate::app::App;
use crate::error::ApiError;
use crate::mailed_token::mint;
use crate::store::mailed_tokens::Purpose;
use crate::store::mails::{self, Kind, Mail, Outcome};

/// Longer than a sending may take: nobody else sends the mail meanwhile.
const LEASE_SECS: u64 = 120;
const SHORTEST_PAUSE_SECS: u64 = 15;
const LONGEST_PAUSE_SECS: u64 = 900;
/// Mails of other processes, and those whose pause is over, are found by looking.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// What came of looking for a mail to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    NothingDue,
    Sent,
    NoAccount,
    PutBack,
    GivenUp,
}

/// Sends until `stop`. A mail that is being sent then is sent to its end.
pub async fn run(app: App, transport: Transport, stop: CancellationToken) {
    let mut database_away = false;
    while !stop.is_cancelled() {
        match send_next(&app, &transport, app.clock.now()).await {
            Ok(Step::NothingDue) => database_away = false,
            Ok(_) => continue,
            Err(error) => {
                if !std::mem::replace(&mut database_away, true) {
                    tracing::warn!(code = error.code(), error = %error, "mail has to wait");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.mail_wake.notified() => {}
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
        }
    }
}

/// Sends the mail that has been due longest. An error is the database's: the mail stays claimed
/// until its lease ends.
pub async fn send_next(
    app: &App,
    transport: &Transport,
    now: UnixSeconds,
) -> Result<Step, ApiError> {
    let lease_ends_at = now.plus_secs(LEASE_SECS);
    let Some(mail) = mails::claim_due(&app.pool, now, lease_ends_at).await? else {
        return Ok(Step::NothingDue);
    };
    if now >= mail.give_up_at {
        return end(app, &mail, Outcome::GivenUp, None, now).await;
    }
    let Some((recipient, letter)) = write(app, &mail, now).await? else {
        return end(app, &mail, Outcome::NoAccount, None, now).await;
    };
    match send(app, transport, &mail, &recipient, &letter, now).await {
        Ok(()) => end(app, &mail, Outcome::Sent, None, now).await,
        Err(failure) => after_failure(app, &mail, &failure, now).await,
    }
}

/// The letter and whom it is for; `None` where there is nobody to write to.
async fn write(
    app: &App,
    mail: &Mail,
    now: UnixSeconds,
) -> Result<Option<(String, Letter)>, ApiError> {
    let Some(recipient) = mail.recipient.clone() else {
        return Ok(None);
    };
    let head = Letterhead {
        issuer: app.issuer.name(),
        mail,
    };
    let config = &app.config.mail;
    let letter = match mail.kind {
        Kind::ResetLink => mint(app, Purpose::ResetPassword, &recipient, now)
            .await?
            .map(|token| head.reset_link(config.reset_page.as_ref(), &token)),
        Kind::VerifyEmail => mint(app, Purpose::VerifyEmail, &recipient, now)
            .await?
            .map(|token| head.verify_email(config.verify_page.as_ref(), &token)),
        Kind::PasswordWasReset => Some(head.password_was_reset()),
        Kind::PasswordSet => Some(head.password_set()),
        Kind::PasswordChanged => Some(head.password_changed()),
    };
    Ok(letter.map(|letter| (recipient, letter)))
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Unwritable(#[from] BuildError),
    #[error(transparent)]
    Undelivered(#[from] DeliveryError),
}

impl Failure {
    fn code(&self) -> &'static str {
        match self {
            Self::Unwritable(_) => "mail_unwritable",
            Self::Undelivered(error) => error.code(),
        }
    }

    fn log(&self, mail: &Mail) {
        let cause = std::error::Error::source(self);
        let code = self.code();
        tracing::warn!(mail.id, mail.attempts, code, error = %self, cause, "a mail was not sent");
    }

    fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Unwritable(_) | Self::Undelivered(DeliveryError::RecipientRefused(_))
        )
    }
}

async fn send(
    app: &App,
    transport: &Transport,
    mail: &Mail,
    recipient: &str,
    letter: &Letter,
    now: UnixSeconds,
) -> Result<(), Failure> {
    let message = build(&app.config.mail.from, recipient, mail, letter, now)?;
    let name = format!("{}-{}-{}.eml", now.as_millis(), mail.id, mail.attempts);
    Ok(transport.deliver(message, &name).await?)
}

async fn after_failure(
    app: &App,
    mail: &Mail,
    failure: &Failure,
    now: UnixSeconds,
) -> Result<Step, ApiError> {
    let code = failure.code();
    failure.log(mail);
    if failure.is_final() {
        return end(app, mail, Outcome::GivenUp, Some(code), now).await;
    }
    let again_at = now.plus_secs(pause_secs(mail.attempts));
    mails::put_back(&app.pool, mail, code, again_at).await?;
    metrics::counter!("portcullis_mail_failures_total", "code" => code).increment(1);
    Ok(Step::PutBack)
}

async fn end(
    app: &App,
    mail: &Mail,
    outcome: Outcome,
    error: Option<&str>,
    now: UnixSeconds,
) -> Result<Step, ApiError> {
    mails::finish(&app.pool, &mail.id, outcome, error, now).await?;
    let labels = [("kind", mail.kind.as_str()), ("outcome", outcome.as_str())];
    metrics::counter!("portcullis_mails_total", &labels).increment(1);
    if outcome == Outcome::GivenUp {
        let last_error = error.or(mail.last_error.as_deref());
        tracing::error!(mail.id, mail.attempts, last_error, "a mail was given up");
    }
    Ok(match outcome {
        Outcome::Sent => Step::Sent,
        Outcome::NoAccount => Step::NoAccount,
        Outcome::GivenUp => Step::GivenUp,
    })
}

/// Twice as long each time: 15 s, 30 s, … a quarter of an hour.
fn pause_secs(attempts: u64) -> u64 {
    let doublings = attempts.saturating_sub(1).min(10);
    (SHORTEST_PAUSE_SECS << doublings).min(LONGEST_PAUSE_SECS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_quarter_of_an_hour() {
        let pauses: Vec<u64> = [1, 2, 3, 7, 8, 1000].map(pause_secs).to_vec();
        assert_eq!(pauses, [15, 30, 60, 900, 900, 900]);
    }
}
