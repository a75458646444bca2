//! What may be a password (NIST SP 800-63B-4): long enough, and not among the first guesses of
//! somebody who knows its owner. No rules about kinds of characters.

use zxcvbn::feedback::Feedback;

use crate::error::ApiError;

const MAX_CHARS: usize = 128;
/// As many passwords as the estimator's own list of the commonest has. At ten failures a minute an
/// attacker tries that many within two days.
const FIRST_GUESSES: u64 = 30_000;
/// What follows them is not judged: the estimate's time grows faster than the length.
const JUDGED_CHARS: usize = 48;
/// Letters that the estimator takes some characters for, when it looks for words (`p4$$word`).
const SUBSTITUTES: [(char, &str); 12] = [
    ('a', "4@"),
    ('b', "8"),
    ('c', "({[<"),
    ('e', "3"),
    ('g', "69"),
    ('i', "1!|"),
    ('l', "1|7"),
    ('o', "0"),
    ('s', "$5"),
    ('t', "+7"),
    ('x', "%"),
    ('z', "2"),
];
/// It tries each combination of them, which may be more than a thousand; all ten digits have 12. No
/// password among the first guesses has so many kinds of characters.
const MAX_READINGS: usize = 64;

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

/// Takes about a millisecond, and never longer than a hash, whatever the password is.
pub(super) fn check_guesses(password: &str, about: &[String]) -> Result<(), ApiError> {
    if about.contains(&password.to_lowercase()) {
        let hint = "This is known of you: it is guessed first.".to_owned();
        return Err(ApiError::PasswordTooCommon { hint });
    }
    let judged: String = password.chars().take(JUDGED_CHARS).collect();
    if readings(&judged) > MAX_READINGS {
        return Ok(());
    }
    let about: Vec<&str> = about.iter().map(String::as_str).collect();
    let estimate = zxcvbn::zxcvbn(&judged, &about);
    if estimate.guesses() > FIRST_GUESSES {
        return Ok(());
    }
    Err(ApiError::PasswordTooCommon {
        hint: estimate.feedback().map_or_else(String::new, hint),
    })
}

/// In how many ways the estimator reads it, at most.
fn readings(password: &str) -> usize {
    let mut read_before = String::new();
    SUBSTITUTES.iter().fold(1, |readings, (_, substitutes)| {
        let present = substitutes.chars().filter(|char| password.contains(*char));
        // One that stands for two letters is read as either.
        let of_letter = present.map(|char| {
            let ways = if read_before.contains(char) { 2 } else { 1 };
            read_before.push(char);
            ways
        });
        readings * of_letter.sum::<usize>().max(1)
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
    fn the_time_it_takes_to_judge_a_password_is_bounded() {
        assert_eq!(readings("1234567890"), 12);
        assert_eq!(readings("P@$$w0rd!"), 1);
        let read_in_many_ways = "1|!i4@0$53+7(<{[9&6#8%2";
        assert!(readings(read_in_many_ways) > 1000);
        assert!(policy(&read_in_many_ways.repeat(5)).is_ok());
        let digits_again_and_again = "0123456789".repeat(12);
        assert_eq!(
            policy(&digits_again_and_again).unwrap_err().code(),
            "password_too_common"
        );
    }

    #[test]
    fn refuses_an_address_that_is_longer_than_what_is_judged() {
        let email = format!("{}@example.org", "vzq.".repeat(12) + "x");
        let owner = Owner {
            email: &email,
            name: None,
        };
        let words = owner.words();
        assert!(check_guesses(&email.to_uppercase(), &words).is_err());
        assert!(check_guesses(&email[..60], &words).is_ok());
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
