//! From a letter to a message (RFC 5322). Headers are made of parsed values and constants only, so
//! nothing that was typed into a form can become one.

use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::{Address, error::Error as MessageError};
use secrecy::ExposeSecret;
use shared::UnixSeconds;

use super::letters::Letter;
use crate::store::mails::Mail;

/// No human wrote this: out-of-office answers stay away (RFC 3834, section 5).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// Why there is no message; another attempt would not change it.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildError {
    #[error("the recipient is no address")]
    BadRecipient(#[from] lettre::address::AddressError),
    #[error("the message cannot be put together")]
    BadMessage(#[from] MessageError),
}

pub(super) fn build(
    from: &Mailbox,
    recipient: &str,
    mail: &Mail,
    letter: &Letter,
    now: UnixSeconds,
) -> Result<Message, BuildError> {
    let recipient: Address = recipient.parse()?;
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, recipient))
        .subject(letter.subject)
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(now.as_millis()))
        // A second sending is another message: it may carry another token.
        .message_id(Some(format!(
            "<{}.{}@{}>",
            mail.id,
            mail.attempts,
            from.email.domain()
        )))
        .raw_header(HeaderValue::new(
            AUTO_SUBMITTED,
            "auto-generated".to_owned(),
        ))
        .header(ContentType::TEXT_PLAIN)
        .body(letter.body.expose_secret().to_owned())?;
    Ok(message)
}
