//! What an e-mail address and a name may be, and the one form in which each is kept. It asks nobody
//! whether the address exists.

use email_address::{EmailAddress, Options};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;

use crate::error::ApiError;

const MAX_EMAIL_BYTES: usize = 254;
const MAX_NAME_CHARS: usize = 200;

/// The one form in which an address is stored and looked up: what stands before the `@` composed
/// and in lower case, the domain as DNS has it (`xn--…`; UTS 46), so that one domain is one text.
pub fn parse_email(text: &str) -> Result<String, ApiError> {
    let in_lower_case = text.nfc().collect::<String>().to_lowercase();
    // Once more: there are letters that only their small form composes with.
    let composed: String = in_lower_case.nfc().collect();
    let (local_part, domain) = composed.rsplit_once('@').ok_or(ApiError::InvalidEmail)?;
    let refused = |char: char| char.is_whitespace() || char == '"' || is_invisible(char);
    if local_part.contains(refused) || local_part.contains(is_deceptive) {
        return Err(ApiError::InvalidEmail);
    }
    let email = format!("{local_part}@{}", parse_domain(domain)?);
    let options = Options::default()
        .without_display_text()
        .without_domain_literal()
        .with_required_tld();
    if email.len() <= MAX_EMAIL_BYTES && EmailAddress::parse_with_options(&email, options).is_ok() {
        Ok(email)
    } else {
        Err(ApiError::InvalidEmail)
    }
}

fn parse_domain(domain: &str) -> Result<String, ApiError> {
    Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| ApiError::InvalidEmail)
}

pub(crate) fn parse_name(text: &str) -> Result<String, ApiError> {
    let name: String = text.trim().nfc().collect();
    let is_empty = name
        .chars()
        .all(|char| char.is_whitespace() || is_invisible(char));
    if is_empty || name.chars().count() > MAX_NAME_CHARS || name.contains(is_deceptive) {
        return Err(ApiError::InvalidName);
    }
    Ok(name)
}

/// What breaks a page or a log, turns the direction of what follows, or stands for text that was
/// lost on the way.
fn is_deceptive(char: char) -> bool {
    char.is_control()
        || matches!(char,
            // Directions of writing (UAX 9).
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}'
            // Line ends by other means, annotations, tags; replacements and what is no character.
            | '\u{2028}' | '\u{2029}' | '\u{FFF9}'..='\u{FFFF}' | '\u{E0000}'..='\u{E007F}')
}

/// What nobody sees: two addresses that look alike must be one. A name may need some of these. They are
/// Unicode's `Default_Ignorable_Code_Point`, and the blank of Braille.
fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brings_an_address_into_one_form() {
        for (given, kept) in [
            ("Ada@Example.ORG", "ada@example.org"),
            ("cafe\u{301}@example.org", "caf\u{e9}@example.org"),
            ("ada@B\u{fc}cher.example", "ada@xn--bcher-kva.example"),
            ("ada@bu\u{308}cher.example", "ada@xn--bcher-kva.example"),
            ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
            ("ada@example\u{3002}org", "ada@example.org"),
            ("ada+tag@example.org", "ada+tag@example.org"),
            ("J\u{30C}an@example.org", "\u{1F0}an@example.org"),
        ] {
            assert_eq!(parse_email(given).unwrap(), kept, "{given:?}");
            assert_eq!(parse_email(kept).unwrap(), kept, "{given:?}");
        }
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
            "ada@example.org\r\nBcc: eve@example.org",
            "ada\0@example.org",
            "ada@@example.org",
            "ada@example..org",
            "ada@-example.org",
            "ada@exa_mple.org",
            "ada@xn--a.org",
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
    fn refuses_addresses_that_do_not_look_like_what_they_are() {
        for char in [
            '\u{202E}',
            '\u{2066}',
            '\u{200F}',
            '\u{FFFD}',
            '\u{85}',
            '\u{200B}',
            '\u{2028}',
            '\u{FEFF}',
            '\u{E0041}',
            '\u{2065}',
            '\u{2800}',
            '\u{17B4}',
            '\u{1D173}',
        ] {
            for bad in [
                format!("a{char}da@example.org"),
                format!("ada{char}@example.org"),
            ] {
                assert!(parse_email(&bad).is_err(), "{bad:?}");
            }
        }
        for bad in ["ada@exam\u{202E}ple.org", "ada@exam\u{FFFD}ple.org"] {
            assert!(parse_email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn refuses_names_that_would_break_a_page_or_a_log() {
        for bad in [
            "",
            "   ",
            "\u{200B}",
            "a\u{0}b",
            "a\nb",
            "a\u{202E}b",
            "a\u{FFFD}b",
            &"x".repeat(201),
        ] {
            assert_eq!(
                parse_name(bad).unwrap_err().code(),
                "invalid_name",
                "{bad:?}"
            );
        }
        // A Persian name needs its zero-width non-joiner, a flag its joiners.
        for good in ["علی\u{200C}رضا", "👩\u{200D}💻", "O'Neil-Smith"] {
            assert!(parse_name(good).is_ok(), "{good}");
        }
    }
}
