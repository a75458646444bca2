//! Which scope a token gets: what was asked for, as far as client and user have it. Who asks for
//! something by name gets that or nothing (RFC 6749, section 3.3): never quietly less.

use crate::accounts::OPERATOR;
use crate::error::ApiError;
use crate::store::users::User;

/// What every user holds.
pub const PROFILE: &str = "profile";

/// What is asked for when somebody logs in.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// All that the user may have.
    Everything,
    /// What the user may have of this.
    AtMost(&'a str),
    /// This, or no token.
    Exactly(&'a str),
}

/// The scope of a session that begins.
pub(super) fn grant(user: &User, wanted: Wanted<'_>) -> Result<String, ApiError> {
    match wanted {
        Wanted::Everything => Ok(held_by(user).join(" ")),
        Wanted::AtMost(scope) => not_empty(what_is_left(user, scope)),
        Wanted::Exactly(scope) if held_by_all(user, scope) => Ok(without_doubles(scope)),
        Wanted::Exactly(_) => Err(ApiError::InvalidScope),
    }
}

/// The scope of the next token of a session. A role that was taken away takes its scope along.
pub(super) fn carry_on(
    user: &User,
    of_session: &str,
    wanted: Option<&str>,
) -> Result<String, ApiError> {
    match wanted {
        None => not_empty(what_is_left(user, of_session)),
        Some(scope) if contains(of_session, scope) && held_by_all(user, scope) => {
            Ok(without_doubles(scope))
        }
        Some(_) => Err(ApiError::InvalidScope),
    }
}

/// Whether each word of `part` is one of `whole`. Two spaces in a row make an empty word, and that
/// is in nothing.
#[must_use]
pub fn contains(whole: &str, part: &str) -> bool {
    part.split(' ')
        .all(|word| !word.is_empty() && whole.split(' ').any(|there| there == word))
}

/// `%x21 / %x23-5B / %x5D-7E` (RFC 6749, appendix A.4).
#[must_use]
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
}

fn held_by(user: &User) -> Vec<&'static str> {
    let mut scopes = vec![PROFILE];
    if user.roles.iter().any(|role| role == OPERATOR) {
        scopes.push(OPERATOR);
    }
    scopes
}

fn held_by_all(user: &User, scope: &str) -> bool {
    contains(&held_by(user).join(" "), scope)
}

fn what_is_left(user: &User, scope: &str) -> String {
    let held = held_by(user);
    let left: Vec<&str> = scope
        .split(' ')
        .filter(|word| held.contains(word))
        .collect();
    left.join(" ")
}

/// A token that is good for nothing is none.
fn not_empty(scope: String) -> Result<String, ApiError> {
    if scope.is_empty() {
        Err(ApiError::InvalidScope)
    } else {
        Ok(scope)
    }
}

/// Each word once.
#[must_use]
pub fn without_doubles(scope: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in scope.split(' ') {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use shared::UnixSeconds;

    use super::*;

    fn user(roles: &[&str]) -> User {
        User {
            id: "id".to_owned(),
            email: "ada@example.org".to_owned(),
            email_verified_at: None,
            name: None,
            roles: roles.iter().map(ToString::to_string).collect(),
            disabled_at: None,
            created_at: UnixSeconds::EPOCH,
        }
    }

    #[test]
    fn grants_what_was_asked_for_or_nothing() {
        let (ada, operator) = (user(&[]), user(&["operator"]));
        for (user, wanted, granted) in [
            (&ada, Wanted::Everything, Some("profile")),
            (&operator, Wanted::Everything, Some("profile operator")),
            (&ada, Wanted::AtMost("profile operator"), Some("profile")),
            (&ada, Wanted::AtMost("operator"), None),
            (&ada, Wanted::AtMost("reports:read"), None),
            (&ada, Wanted::Exactly("profile"), Some("profile")),
            (&ada, Wanted::Exactly("profile profile"), Some("profile")),
            (&ada, Wanted::Exactly("profile operator"), None),
            (&operator, Wanted::Exactly("operator"), Some("operator")),
            (&operator, Wanted::Exactly("operator  profile"), None),
            (&operator, Wanted::Exactly(""), None),
        ] {
            assert_eq!(grant(user, wanted).ok().as_deref(), granted, "{wanted:?}");
        }
    }

    #[test]
    fn a_session_goes_on_with_its_scope_or_with_less() {
        let (ada, operator) = (user(&[]), user(&["operator"]));
        for (user, of_session, wanted, granted) in [
            (
                &operator,
                "profile operator",
                None,
                Some("profile operator"),
            ),
            (
                &operator,
                "profile operator",
                Some("profile"),
                Some("profile"),
            ),
            (&operator, "profile", Some("operator"), None),
            (&ada, "profile operator", None, Some("profile")),
            (&ada, "profile operator", Some("operator"), None),
            (&ada, "operator", None, None),
        ] {
            let got = carry_on(user, of_session, wanted).ok();
            assert_eq!(got.as_deref(), granted, "{of_session} {wanted:?}");
        }
    }

    #[test]
    fn a_scope_token_is_visible_ascii_without_quotes() {
        for good in ["a", "reports:read", "https://example.org/x"] {
            assert!(is_scope_token(good), "{good}");
        }
        for bad in ["", "a b", "a\"", "a\\", "\u{e9}", "a\n"] {
            assert!(!is_scope_token(bad), "{bad}");
        }
    }
}
