//! What is said beside a refusal of access (RFC 6750, section 3; RFC 9110, section 11.6.1): the scheme,
//! always with a realm, for a challenge without any parameter is none to many parsers.

use axum::http::StatusCode;

use super::ApiError;

const REALM: &str = "portcullis";

impl ApiError {
    /// The value of `WWW-Authenticate`; `None` where the standards ask for none.
    pub(super) fn challenge(&self) -> Option<String> {
        let bearer = |parameters: &str| format!(r#"Bearer realm="{REALM}"{parameters}"#);
        match self {
            Self::MissingToken => Some(bearer("")),
            Self::InvalidToken(_)
            | Self::TokenRevoked
            | Self::AllSessionsRevoked
            | Self::UserNotFound
            | Self::UserDisabled => Some(bearer(&format!(
                r#", error="invalid_token", error_description="{}""#,
                printable(&self.to_string())
            ))),
            Self::InsufficientScope(scope) => Some(bearer(&format!(
                r#", error="insufficient_scope", scope="{scope}""#
            ))),
            Self::TwoTokens => Some(bearer(r#", error="invalid_request""#)),
            Self::InvalidClient => Some(format!(r#"Basic realm="{REALM}""#)),
            _ if self.status() == StatusCode::UNAUTHORIZED => Some(bearer("")),
            _ => None,
        }
        .filter(|_| self.status().is_client_error())
    }
}

/// The text as an `error_description` may have it: printable ASCII without `"` and `\` (RFC 6749,
/// section 5.2; RFC 6750, section 3).
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '"' | '\\' | '`' => '\'',
            '−' => '-',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use shared::TokenError;

    use super::*;

    #[test]
    fn a_description_is_one_string_of_printable_ascii_whatever_was_wrong_with_the_token() {
        let bad = TokenError::ALL
            .iter()
            .filter(|error| **error != TokenError::EngineFailed);
        for reason in bad {
            let challenge = ApiError::InvalidToken(*reason).challenge().unwrap();
            assert_eq!(challenge.matches('"').count(), 6, "{challenge}");
            let value = HeaderValue::try_from(challenge).unwrap();
            assert!(value.to_str().is_ok(), "{value:?}");
        }
    }

    #[test]
    fn every_refusal_of_access_names_a_realm() {
        for error in [
            ApiError::MissingToken,
            ApiError::TokenRevoked,
            ApiError::TwoTokens,
            ApiError::InsufficientScope("operator"),
            ApiError::InvalidClient,
            ApiError::InvalidCredentials,
            ApiError::InvalidEdgeSecret,
        ] {
            let challenge = error.challenge().unwrap();
            let (scheme, parameters) = challenge.split_once(' ').unwrap();
            assert!(["Basic", "Bearer"].contains(&scheme), "{challenge}");
            assert!(
                parameters.starts_with("realm=\"portcullis\""),
                "{challenge}"
            );
        }
    }
}
