//! Accounts: what an e-mail address and a name may be, and registering. It does not log in.

use email_address::{EmailAddress, Options};
use secrecy::SecretString;
use unicode_normalization::UnicodeNormalization;

use crate::app::App;
use crate::error::ApiError;
use crate::random;
use crate::store::audit::{self, Event};
use crate::store::users::{Inserted, NewUser, User};
use crate::{store, store::users};

const MAX_EMAIL_BYTES: usize = 254;
const MAX_NAME_CHARS: usize = 200;

/// Whoever holds this role may revoke anything; its tokens carry the scope of the same name.
pub const OPERATOR: &str = "operator";

/// An account to be made.
#[derive(Debug)]
pub struct Registration<'a> {
    pub email: &'a str,
    pub password: &'a SecretString,
    pub name: Option<&'a str>,
    pub roles: &'a [String],
    pub address: Option<&'a str>,
}

pub async fn register(app: &App, registration: &Registration<'_>) -> Result<User, ApiError> {
    let email = parse_email(registration.email)?;
    let name = registration.name.map(parse_name).transpose()?;
    app.passwords.check_policy(registration.password, &email)?;
    let password_hash = app.passwords.hash(registration.password).await?;
    let new = NewUser {
        id: &random::new_id()?,
        email: &email,
        name: name.as_deref(),
        password_hash: &password_hash,
        roles: registration.roles,
    };
    insert(app, &new, registration.address).await
}

async fn insert(app: &App, new: &NewUser<'_>, address: Option<&str>) -> Result<User, ApiError> {
    let now = app.clock.now();
    let mut tx = store::begin(&app.pool).await?;
    if users::insert(&mut tx, new, now).await? == Inserted::EmailTaken {
        return Err(ApiError::EmailTaken);
    }
    let record = audit::Record {
        actor: Some(new.id),
        subject: Some(new.id),
        address,
        ..audit::Record::new(random::new_id()?, Event::Registered)
    };
    audit::insert(&mut tx, &record, now).await?;
    tx.commit().await?;
    Ok(User {
        id: new.id.to_owned(),
        email: new.email.to_owned(),
        email_verified_at: None,
        name: new.name.map(str::to_owned),
        roles: new.roles.to_vec(),
        disabled_at: None,
        created_at: now,
    })
}

/// The one form in which an address is stored and looked up: composed, lower case.
pub fn parse_email(text: &str) -> Result<String, ApiError> {
    let email: String = text.nfc().collect::<String>().to_lowercase();
    let options = Options::default()
        .without_display_text()
        .without_domain_literal()
        .with_required_tld();
    let plain =
        !email.contains(|char: char| char.is_control() || char.is_whitespace() || char == '"');
    if plain
        && email.len() <= MAX_EMAIL_BYTES
        && EmailAddress::parse_with_options(&email, options).is_ok()
    {
        Ok(email)
    } else {
        Err(ApiError::InvalidEmail)
    }
}

fn parse_name(text: &str) -> Result<String, ApiError> {
    let name: String = text.trim().nfc().collect();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || name.contains(char::is_control) {
        return Err(ApiError::InvalidName);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brings_an_address_into_one_form() {
        assert_eq!(parse_email("Ada@Example.ORG").unwrap(), "ada@example.org");
        assert_eq!(
            parse_email("cafe\u{301}@example.org").unwrap(),
            "caf\u{e9}@example.org"
        );
    }

    #[test]
    fn refuses_what_is_no_address() {
        let long = format!("{}@example.org", "a".repeat(300));
        for bad in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "ada@localhost",
            "ada@[127.0.0.1]",
            "a da@example.org",
            "Ada <ada@example.org>",
            "\"a b\"@example.org",
            "ada@example.org\n",
            "ada\0@example.org",
            "ada@@example.org",
            "ada@example..org",
            "ada@-example.org",
            &long,
        ] {
            assert_eq!(
                parse_email(bad).unwrap_err().code(),
                "invalid_email",
                "{bad:?}"
            );
        }
    }

    #[test]
    fn refuses_names_that_would_break_a_page_or_a_log() {
        for bad in ["", "   ", "a\u{0}b", "a\nb", &"x".repeat(201)] {
            assert_eq!(
                parse_name(bad).unwrap_err().code(),
                "invalid_name",
                "{bad:?}"
            );
        }
    }
}
