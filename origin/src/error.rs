//! Every error that a client can be told, each with one code and one status. How it is told is in
//! `problem`, and at the OAuth endpoints in `oauth`.

mod challenge;
mod oauth;
mod problem;

use axum::http::StatusCode;
use shared::TokenError;

use crate::rate_window::Exceeded;

pub use oauth::{OAuthError, OAuthErrorBody};
pub use problem::Problem;

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    // The request itself.
    #[error("The body is not JSON")]
    MalformedJson,
    #[error("The body is not UTF-8")]
    InvalidUtf8,
    #[error("The body is not a JSON object")]
    NotAnObject,
    #[error("The body has a member that this resource does not know")]
    UnknownMember,
    #[error("The body has a member twice")]
    DuplicateMember,
    #[error("The body lacks a required member")]
    MissingMember,
    #[error("A member of the body has the wrong type")]
    WrongType,
    #[error("The body is not a form")]
    MalformedForm,
    #[error("The body did not arrive in time")]
    BodyTimeout,
    #[error("The body broke off")]
    BodyBrokeOff,
    #[error("The body is larger than 64 KiB")]
    BodyTooLarge,
    #[error("The body's Content-Type is not {0}")]
    UnsupportedMediaType(&'static str),
    #[error("There is nothing here")]
    NotFound,
    #[error("This resource does not answer this method")]
    MethodNotAllowed,

    // Accounts.
    #[error("This is not an e-mail address")]
    InvalidEmail,
    #[error("A name has at most 200 characters and no control characters")]
    InvalidName,
    #[error("The password is shorter than {0} characters")]
    PasswordTooShort(usize),
    #[error("The password is longer than 128 characters")]
    PasswordTooLong,
    #[error("This password is among the first that an attacker tries")]
    PasswordTooCommon { hint: String },
    #[error("An account with this e-mail address exists")]
    EmailTaken,
    #[error("E-mail address or password is wrong")]
    InvalidCredentials,
    #[error(
        "A role has 1 to 64 lower-case letters, digits, `-`, `_`, `:` and `.`; a user at most 32"
    )]
    InvalidRole,
    #[error("The current password is wrong")]
    WrongPassword,
    #[error("The token is not known, was used, or has expired")]
    InvalidMailedToken,
    #[error("Too many failed attempts")]
    TooManyAttempts(Exceeded),

    // Access tokens.
    #[error("An access token is required")]
    MissingToken,
    #[error("The Authorization header is not `Bearer`, one space and a token")]
    MalformedAuthorization,
    #[error("The request carries more than one token")]
    TwoTokens,
    #[error("The access token is not valid: {0}")]
    InvalidToken(TokenError),
    #[error("Token has been revoked")]
    TokenRevoked,
    #[error("All user sessions have been revoked")]
    AllSessionsRevoked,
    #[error("User not found")]
    UserNotFound,
    #[error("User is disabled")]
    UserDisabled,
    #[error("The access token lacks the scope {0}")]
    InsufficientScope(&'static str),

    // Refresh tokens and sessions.
    #[error("The refresh token is not known")]
    RefreshTokenUnknown,
    #[error("The refresh token has expired")]
    RefreshTokenExpired,
    #[error("The refresh token was used before; its session has been closed")]
    RefreshTokenReused,
    #[error("The session has been closed")]
    SessionClosed,

    // OAuth clients.
    #[error("Client authentication failed")]
    InvalidClient,
    #[error("The client authenticates itself in more than one way")]
    TwoClientAuthentications,
    #[error("The request lacks a parameter, or has one twice")]
    InvalidRequest,
    #[error("This client may not do this")]
    UnauthorizedClient,
    #[error("This grant type is not supported")]
    UnsupportedGrantType,
    #[error("The requested scope exceeds what may be granted")]
    InvalidScope,

    // Revocations.
    #[error("The revocation's scope is not token, session, user or issuer")]
    UnknownRevocationScope,
    #[error("The revocation names no token, session, user or issuer of ours")]
    InvalidRevocationName,
    #[error(
        "`before` is an RFC 3339 time in UTC, not in the future, for the scopes user and issuer"
    )]
    InvalidBefore,
    #[error("A reason has 1 to 500 characters and no control characters")]
    InvalidReason,

    // Edges.
    #[error("The edge secret is missing or wrong")]
    InvalidEdgeSecret,
    #[error("The query has an unknown parameter or a bad value")]
    InvalidQuery,
    #[error("PORTCULLIS_EDGE_SECRET is not set on this origin")]
    EdgeSecretNotSet,
    #[error("No list has been published yet")]
    NoListYet,

    // Our own parts.
    #[error("Too many passwords are being checked")]
    PasswordsBusy,
    #[error("Too many attempts at once; try again")]
    LimitsBusy,
    #[error("No token may be issued yet: a cut-off lies ahead")]
    CutOffAhead,
    #[error("No key of this origin may sign yet: edges are still to get it")]
    NoSigningKey,
    #[error("A store cannot be reached")]
    StoreUnavailable(#[from] sqlx::Error),
    #[error("The request took too long")]
    TookTooLong,
    #[error("Something went wrong on our side")]
    Internal(&'static str),
}

impl ApiError {
    /// One stable string for responses, logs, metrics and snapshots.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.status_and_code().1
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status_and_code().0
    }

    fn status_and_code(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::InvalidToken(TokenError::EngineFailed) => {
                (S::SERVICE_UNAVAILABLE, TokenError::EngineFailed.code())
            }
            Self::InvalidToken(reason) => (S::UNAUTHORIZED, reason.code()),
            Self::MalformedJson => (S::BAD_REQUEST, "malformed_json"),
            Self::InvalidUtf8 => (S::BAD_REQUEST, "invalid_utf8"),
            Self::NotAnObject => (S::UNPROCESSABLE_ENTITY, "not_an_object"),
            Self::UnknownMember => (S::UNPROCESSABLE_ENTITY, "unknown_member"),
            Self::DuplicateMember => (S::UNPROCESSABLE_ENTITY, "duplicate_member"),
            Self::MissingMember => (S::UNPROCESSABLE_ENTITY, "missing_member"),
            Self::WrongType => (S::UNPROCESSABLE_ENTITY, "wrong_type"),
            Self::MalformedForm => (S::BAD_REQUEST, "malformed_form"),
            Self::BodyTimeout => (S::REQUEST_TIMEOUT, "body_timeout"),
            Self::BodyBrokeOff => (S::BAD_REQUEST, "body_broke_off"),
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::UnsupportedMediaType(_) => (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::NotFound => (S::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::InvalidEmail => (S::UNPROCESSABLE_ENTITY, "invalid_email"),
            Self::InvalidName => (S::UNPROCESSABLE_ENTITY, "invalid_name"),
            Self::PasswordTooShort(_) => (S::UNPROCESSABLE_ENTITY, "password_too_short"),
            Self::PasswordTooLong => (S::UNPROCESSABLE_ENTITY, "password_too_long"),
            Self::PasswordTooCommon { .. } => (S::UNPROCESSABLE_ENTITY, "password_too_common"),
            Self::EmailTaken => (S::CONFLICT, "email_taken"),
            Self::InvalidCredentials => (S::UNAUTHORIZED, "invalid_credentials"),
            Self::InvalidRole => (S::UNPROCESSABLE_ENTITY, "invalid_role"),
            Self::WrongPassword => (S::FORBIDDEN, "wrong_password"),
            Self::InvalidMailedToken => (S::UNPROCESSABLE_ENTITY, "invalid_mailed_token"),
            Self::TooManyAttempts(_) => (S::TOO_MANY_REQUESTS, "too_many_attempts"),
            Self::MissingToken => (S::UNAUTHORIZED, "missing_token"),
            Self::MalformedAuthorization => (S::UNAUTHORIZED, "authorization_malformed"),
            Self::TwoTokens | Self::TwoClientAuthentications | Self::InvalidRequest => {
                (S::BAD_REQUEST, "invalid_request")
            }
            Self::TokenRevoked => (S::UNAUTHORIZED, "token_revoked"),
            Self::AllSessionsRevoked => (S::UNAUTHORIZED, "all_sessions_revoked"),
            Self::UserNotFound => (S::UNAUTHORIZED, "user_not_found"),
            Self::UserDisabled => (S::UNAUTHORIZED, "user_disabled"),
            Self::InsufficientScope(_) => (S::FORBIDDEN, "insufficient_scope"),
            Self::RefreshTokenUnknown => (S::UNAUTHORIZED, "refresh_token_unknown"),
            Self::RefreshTokenExpired => (S::UNAUTHORIZED, "refresh_token_expired"),
            Self::RefreshTokenReused => (S::UNAUTHORIZED, "refresh_token_reused"),
            Self::SessionClosed => (S::UNAUTHORIZED, "session_closed"),
            Self::InvalidClient => (S::UNAUTHORIZED, "invalid_client"),
            Self::UnauthorizedClient => (S::BAD_REQUEST, "unauthorized_client"),
            Self::UnsupportedGrantType => (S::BAD_REQUEST, "unsupported_grant_type"),
            Self::InvalidScope => (S::BAD_REQUEST, "invalid_scope"),
            Self::UnknownRevocationScope => (S::UNPROCESSABLE_ENTITY, "unknown_revocation_scope"),
            Self::InvalidRevocationName => (S::UNPROCESSABLE_ENTITY, "invalid_revocation_name"),
            Self::InvalidBefore => (S::UNPROCESSABLE_ENTITY, "invalid_before"),
            Self::InvalidReason => (S::UNPROCESSABLE_ENTITY, "invalid_reason"),
            Self::InvalidEdgeSecret => (S::UNAUTHORIZED, "invalid_edge_secret"),
            Self::InvalidQuery => (S::BAD_REQUEST, "invalid_query"),
            Self::EdgeSecretNotSet => (S::SERVICE_UNAVAILABLE, "edge_secret_not_set"),
            Self::NoListYet => (S::SERVICE_UNAVAILABLE, "no_list_yet"),
            Self::PasswordsBusy => (S::SERVICE_UNAVAILABLE, "passwords_busy"),
            Self::LimitsBusy => (S::SERVICE_UNAVAILABLE, "limits_busy"),
            Self::CutOffAhead => (S::SERVICE_UNAVAILABLE, "cut_off_ahead"),
            Self::NoSigningKey => (S::SERVICE_UNAVAILABLE, "no_signing_key"),
            Self::StoreUnavailable(_) => (S::SERVICE_UNAVAILABLE, "store_unavailable"),
            Self::TookTooLong => (S::SERVICE_UNAVAILABLE, "took_too_long"),
            Self::Internal(_) => (S::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}
