//! What may be a password (NIST SP 800-63B-4): long enough, and not among the first guesses. No rules
//! about kinds of characters.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::error::ApiError;

const MAX_CHARS: usize = 128;

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common.txt").lines().collect());

/// `password` in its normal form, `email` in its stored form.
pub(super) fn check(password: &str, email: &str, min_chars: usize) -> Result<(), ApiError> {
    let chars = password.chars().count();
    if chars < min_chars {
        return Err(ApiError::PasswordTooShort(min_chars));
    }
    if chars > MAX_CHARS {
        return Err(ApiError::PasswordTooLong);
    }
    if is_common(password, email) {
        return Err(ApiError::PasswordTooCommon);
    }
    Ok(())
}

fn is_common(password: &str, email: &str) -> bool {
    let lower = password.to_lowercase();
    let local_part = email.split('@').next().unwrap_or_default();
    COMMON.contains(lower.as_str())
        || lower == email
        || lower == local_part
        || is_one_step_repeated(&lower)
}

/// `aaaaaaaa`, `12345678`, `hgfedcba`: every character a fixed step from the one before.
fn is_one_step_repeated(text: &str) -> bool {
    let codes: Vec<i64> = text
        .chars()
        .map(|char| i64::from(u32::from(char)))
        .collect();
    let mut steps = codes.windows(2).map(|pair| pair[1] - pair[0]);
    match steps.next() {
        Some(first @ -1..=1) => steps.all(|step| step == first),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(password: &str) -> Result<(), ApiError> {
        check(password, "ada@example.org", 8)
    }

    #[test]
    fn accepts_any_long_enough_text_that_is_not_common() {
        for good in [
            "correct horse",
            "пароль-не-прост",
            "p4ssw0rd-of-ada",
            "🦀🦀🦀🐢🐢🐢🐇🐇",
        ] {
            assert!(policy(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn refuses_what_is_guessed_first() {
        for bad in [
            "password",
            "PASSWORD1",
            "12345678",
            "aaaaaaaaa",
            "ada@example.org",
            "hgfedcba",
        ] {
            assert_eq!(
                policy(bad).unwrap_err().code(),
                "password_too_common",
                "{bad}"
            );
        }
    }

    #[test]
    fn counts_characters_not_bytes() {
        assert_eq!(policy("ééééééé").unwrap_err().code(), "password_too_short");
        assert_eq!(
            policy(&"ab".repeat(65)).unwrap_err().code(),
            "password_too_long"
        );
        assert!(policy(&"🦀🐢".repeat(64)).is_ok());
    }
}
