//! The claims of an access token (RFC 7519, section 4.1; RFC 9068, section 2.2): their types on
//! the wire. What values they may have is the business of `validate`.

use serde::Serialize;

use crate::error::TokenError;
use crate::ids::{SessionId, SubjectId, TokenId};
use crate::json::{self, Json, JsonObject};
use crate::time::UnixSeconds;

/// The `typ` of an access token (RFC 9068, section 2.1).
pub const ACCESS_TOKEN_TYP: &str = "at+jwt";

/// What an access token says. Members that are not listed here are legal and ignored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claims {
    /// Who issued the token: compared exactly.
    pub iss: String,
    /// Whom it speaks of.
    pub sub: SubjectId,
    /// For whom it is meant; one string on the wire where there is one.
    #[serde(serialize_with = "serialize_audience")]
    pub aud: Vec<String>,
    /// From when on it is refused.
    pub exp: UnixSeconds,
    /// Before when it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<UnixSeconds>,
    /// When it was issued: what a cut-off is compared with.
    pub iat: UnixSeconds,
    /// Its one name: what a revocation of this token alone goes by.
    pub jti: TokenId,
    /// The session it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// The client it was issued to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What it may be used for, separated by spaces (RFC 8693, section 4.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The subject's roles (RFC 9068, section 2.2.3.1); an empty array says that there are none.
    pub roles: Vec<String>,
    /// The subject's e-mail address; left out where it is not a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether that address was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// When the subject last logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<UnixSeconds>,
}

impl Claims {
    /// The scopes, one by one.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope
            .as_deref()
            .unwrap_or_default()
            .split(' ')
            .filter(|scope| !scope.is_empty())
    }

    /// Whether `scope` is one of the scopes.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|held| held == scope)
    }

    /// The payload to sign.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Unwrap safety: strings, numbers and booleans under string names always serialise.
        serde_json::to_string(self).expect("claims are plain JSON")
    }

    /// Reads the payload of a signed token.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, TokenError> {
        let members = json::parse_object(payload).map_err(TokenError::of_payload)?;
        Ok(Self {
            iss: parse_issuer(&members)?,
            aud: parse_audience(&members)?,
            sub: parse_subject(&members)?,
            jti: parse_token_id(&members)?,
            exp: date(&members, "exp", TokenError::ExpiryInvalid)?
                .ok_or(TokenError::ExpiryMissing)?,
            iat: date(&members, "iat", TokenError::IssuedAtInvalid)?
                .ok_or(TokenError::IssuedAtMissing)?,
            nbf: date(&members, "nbf", TokenError::NotBeforeInvalid)?,
            sid: parse_session(&members)?,
            client_id: string(&members, "client_id", TokenError::ClientIdInvalid)?,
            scope: string(&members, "scope", TokenError::ScopeInvalid)?,
            roles: parse_roles(&members)?,
            email: members
                .get("email")
                .and_then(Json::as_str)
                .map(str::to_owned),
            email_verified: match members.get("email_verified") {
                Some(Json::Bool(verified)) => Some(*verified),
                _ => None,
            },
            auth_time: date(&members, "auth_time", TokenError::AuthTimeInvalid)?,
        })
    }
}

fn string(
    members: &JsonObject<'_>,
    name: &str,
    invalid: TokenError,
) -> Result<Option<String>, TokenError> {
    match members.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_str()
            .map(|text| Some(text.to_owned()))
            .ok_or(invalid),
    }
}

/// A NumericDate: a JSON number, finite and not negative.
fn date(
    members: &JsonObject<'_>,
    name: &str,
    invalid: TokenError,
) -> Result<Option<UnixSeconds>, TokenError> {
    match members.get(name) {
        None => Ok(None),
        Some(Json::Number(secs)) => UnixSeconds::from_f64(*secs).map(Some).ok_or(invalid),
        Some(_) => Err(invalid),
    }
}

fn parse_issuer(members: &JsonObject<'_>) -> Result<String, TokenError> {
    string(members, "iss", TokenError::IssuerInvalid)?.ok_or(TokenError::IssuerMissing)
}

fn parse_audience(members: &JsonObject<'_>) -> Result<Vec<String>, TokenError> {
    match members.get("aud").ok_or(TokenError::AudienceMissing)? {
        Json::String(audience) => Ok(vec![audience.clone().into_owned()]),
        other => {
            let audiences = other.as_strings().ok_or(TokenError::AudienceInvalid)?;
            Ok(audiences.into_iter().map(str::to_owned).collect())
        }
    }
}

fn parse_subject(members: &JsonObject<'_>) -> Result<SubjectId, TokenError> {
    let text = string(members, "sub", TokenError::SubjectInvalid)?;
    let text = text.ok_or(TokenError::SubjectMissing)?;
    SubjectId::parse(&text).map_err(|_| TokenError::SubjectInvalid)
}

fn parse_token_id(members: &JsonObject<'_>) -> Result<TokenId, TokenError> {
    let text = string(members, "jti", TokenError::TokenIdInvalid)?;
    let text = text.ok_or(TokenError::TokenIdMissing)?;
    TokenId::parse(&text).map_err(|_| TokenError::TokenIdInvalid)
}

fn parse_session(members: &JsonObject<'_>) -> Result<Option<SessionId>, TokenError> {
    let Some(text) = string(members, "sid", TokenError::SessionIdInvalid)? else {
        return Ok(None);
    };
    SessionId::parse(&text)
        .map(Some)
        .map_err(|_| TokenError::SessionIdInvalid)
}

fn parse_roles(members: &JsonObject<'_>) -> Result<Vec<String>, TokenError> {
    let Some(roles) = members.get("roles") else {
        return Ok(Vec::new());
    };
    let roles = roles.as_strings().ok_or(TokenError::RolesInvalid)?;
    Ok(roles.into_iter().map(str::to_owned).collect())
}

fn serialize_audience<S: serde::Serializer>(
    audience: &[String],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match audience {
        [only] => serializer.serialize_str(only),
        many => many.serialize(serializer),
    }
}
