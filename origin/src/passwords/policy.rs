//! What may be a password (NIST SP 800-63B-4): long enough, and not among the first guesses of
//! somebody who knows its owner. No rules about kinds of characters.

use zxcvbn::feedback::Feedback;

use crate::error::ApiError;

const MAX_CHARS: usize = 128;
/// As many passwords as the estimator's own list of the commonest has. At ten failures a minute an
/// attacker tries that many within two days.
const FIRST_GUESSES: u64 = 30_000;

/// Whose password it is to be: what is known of them is guessed first.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// In its stored form.
    pub email: &'a str,
    pub name: Option<&'a str>,
}

impl Owner<'_> {
    /// The address, its local part, the name, and the words of them.
    pub(super) fn words(&self) -> Vec<String> {
        let local_part = self.email.split('@').next().unwrap_or_default();
        let whole = [self.email, local_part, self.name.unwrap_or_default()];
        let parts = whole
            .into_iter()
            .flat_map(|text| text.split(|char: char| !char.is_alphanumeric()));
        let mut words: Vec<String> = whole
            .into_iter()
            .chain(parts)
            .map(str::to_lowercase)
            .collect();
        words.retain(|word| !word.is_empty());
        words
    }
}

/// `password` in its normal form, here and below.
pub(super) fn check_length(password: &str, min_chars: usize) -> Result<(), ApiError> {
    let chars = password.chars().count();
    if chars < min_chars {
        Err(ApiError::PasswordTooShort(min_chars))
    } else if chars > MAX_CHARS {
        Err(ApiError::PasswordTooLong)
    } else {
        Ok(())
    }
}

/// Takes about a millisecond.
pub(super) fn check_guesses(password: &str, about: &[String]) -> Result<(), ApiError> {
    let about: Vec<&str> = about.iter().map(String::as_str).collect();
    let estimate = zxcvbn::zxcvbn(password, &about);
    if estimate.guesses() > FIRST_GUESSES {
        return Ok(());
    }
    Err(ApiError::PasswordTooCommon {
        hint: estimate.feedback().map_or_else(String::new, hint),
    })
}

/// Why it is guessed early and what would help; fixed sentences that quote nothing of it.
fn hint(feedback: &Feedback) -> String {
    let reason = feedback.warning().map(|warning| warning.to_string());
    let advice = feedback.suggestions().iter().map(ToString::to_string);
    reason
        .into_iter()
        .chain(advice)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: Owner<'_> = Owner {
        email: "ada.byron@example.org",
        name: Some("Ada Lovelace"),
    };

    fn policy(password: &str) -> Result<(), ApiError> {
        check_length(password, 8)?;
        check_guesses(password, &ADA.words())
    }

    #[test]
    fn accepts_any_long_enough_text_that_is_not_guessed_first() {
        for good in [
            "correct horse",
            "пароль-не-прост",
            "p4ssw0rd-of-ada",
            "🦀🦀🦀🐢🐢🐢🐇🐇",
            "all lower case and spaces",
        ] {
            assert!(policy(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn refuses_what_is_guessed_first() {
        for bad in [
            "password",
            "PASSWORD1",
            "P@ssw0rd",
            "12345678",
            "qwertyuiop",
            "aaaaaaaaa",
            "abcabcabc",
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
    fn refuses_what_is_known_of_the_owner() {
        for bad in [
            "ada.byron@example.org",
            "Ada.Byron",
            "ada lovelace",
            "AdaLovelace",
            "lovelace1",
        ] {
            assert_eq!(
                policy(bad).unwrap_err().code(),
                "password_too_common",
                "{bad}"
            );
        }
        let of_another = ["eve@example.net".to_owned()];
        assert!(check_guesses("ada.byron@example.org", &of_another).is_ok());
    }

    #[test]
    fn the_hint_says_why_and_what_would_help_and_quotes_nothing() {
        let error = policy("Password1").unwrap_err();
        let ApiError::PasswordTooCommon { hint } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(
            hint,
            "This is a very common password. Add another word or two. Uncommon words are better. \
             Capitalization doesn't help very much."
        );
    }

    #[test]
    fn counts_characters_not_bytes() {
        assert_eq!(policy("ééééééé").unwrap_err().code(), "password_too_short");
        assert_eq!(
            policy(&"ab".repeat(65)).unwrap_err().code(),
            "password_too_long"
        );
        let longest: String = (0..128)
            .map(|n| ['🦀', '🐢', '🐇'][n * n % 7 % 3])
            .collect();
        assert!(policy(&longest).is_ok());
    }
}
