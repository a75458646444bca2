//! Request bodies: bounded in size and time, of the stated type, UTF-8, and strict JSON objects or
//! forms. Errors name what is wrong, never what was sent.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::app::App;
use crate::error::ApiError;

const MAX_BODY_BYTES: usize = 64 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// A JSON object with exactly the members that `T` knows, each once.
#[expect(missing_debug_implementations, reason = "it may hold a password")]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &App) -> Result<Self, ApiError> {
        let bytes = read(request, JSON).await?;
        parse_json(&bytes).map(Self)
    }
}

/// The parameters of a form (RFC 6749, section 3.2): none twice; an empty one is an absent one.
#[expect(missing_debug_implementations, reason = "it may hold a password")]
pub struct Form(Vec<(String, String)>);

impl Form {
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(there, _)| there == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    pub fn require(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or(ApiError::InvalidRequest)
    }
}

impl FromRequest<App> for Form {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &App) -> Result<Self, ApiError> {
        parse_form(&read(request, FORM).await?)
    }
}

async fn read(request: Request, media_type: &'static str) -> Result<Bytes, ApiError> {
    check_media_type(request.headers(), media_type)?;
    // Said in advance: refused before a byte of it is read.
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    if announced.and_then(|text| text.parse::<u64>().ok()) > Some(MAX_BODY_BYTES as u64) {
        return Err(ApiError::BodyTooLarge);
    }
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES).collect();
    match tokio::time::timeout(BODY_TIMEOUT, body).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::BodyTooLarge),
        Ok(Err(_)) => Err(ApiError::BodyBrokeOff),
        Err(_) => Err(ApiError::BodyTimeout),
    }
}

/// The type itself, with at most `charset=utf-8` as its parameter, and said once: what filters the
/// requests before us may have read the other one.
fn check_media_type(headers: &HeaderMap, wanted: &'static str) -> Result<(), ApiError> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let given = match (values.next(), values.next()) {
        (Some(only), None) => only.to_str().unwrap_or_default(),
        _ => "",
    };
    let (media_type, parameter) = given.split_once(';').unwrap_or((given, ""));
    let parameter = parameter.trim();
    let known_parameter = parameter.is_empty()
        || parameter.eq_ignore_ascii_case("charset=utf-8")
        || parameter.eq_ignore_ascii_case("charset=\"utf-8\"");
    if media_type.trim().eq_ignore_ascii_case(wanted) && known_parameter {
        Ok(())
    } else {
        Err(ApiError::UnsupportedMediaType(wanted))
    }
}

fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ApiError::InvalidUtf8)?;
    let parsed = serde_json::from_str(text);
    // serde also reads a struct from an array of its members; we do not.
    if parsed.is_ok() && !text.trim_start().starts_with('{') {
        return Err(ApiError::NotAnObject);
    }
    parsed.map_err(|error| refuse_json(&error, text))
}

/// The kind of mistake only: serde's own message may quote what was sent.
fn refuse_json(error: &serde_json::Error, text: &str) -> ApiError {
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => ApiError::MalformedJson,
        // Serde stops at the first wrong member; what follows it may not even be JSON.
        Category::Data if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() => {
            ApiError::MalformedJson
        }
        Category::Data if !text.trim_start().starts_with('{') => ApiError::NotAnObject,
        Category::Data => match error.to_string() {
            message if message.starts_with("unknown field") => ApiError::UnknownMember,
            message if message.starts_with("duplicate field") => ApiError::DuplicateMember,
            message if message.starts_with("missing field") => ApiError::MissingMember,
            _ => ApiError::WrongType,
        },
    }
}

fn parse_form(bytes: &[u8]) -> Result<Form, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ApiError::InvalidUtf8)?;
    let mut pairs = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = decode_form_text(name).zip(decode_form_text(value));
        pairs.push(decoded.ok_or(ApiError::MalformedForm)?);
    }
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(ApiError::InvalidRequest);
    }
    Ok(Form(pairs))
}

/// One name or value of a form; `None` where it is not UTF-8 behind its percent signs.
pub(super) fn decode_form_text(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its parsing is looked at")]
        email: String,
    }

    fn code(body: &str) -> &'static str {
        parse_json::<Sample>(body.as_bytes()).unwrap_err().code()
    }

    #[test]
    fn tells_each_mistake_in_a_json_body_by_its_own_code() {
        for (body, expected) in [
            ("", "malformed_json"),
            ("{", "malformed_json"),
            ("\u{feff}{\"email\":\"a\"}", "malformed_json"),
            (r#"{"email":"a"} x"#, "malformed_json"),
            (r#"{"email":"\ud800"}"#, "malformed_json"),
            (r#"{"other":1, broken"#, "malformed_json"),
            (r#"["a"]"#, "not_an_object"),
            ("null", "not_an_object"),
            (r#"{"email":"a","other":1}"#, "unknown_member"),
            (r#"{"email":"a","email":"b"}"#, "duplicate_member"),
            ("{}", "missing_member"),
            (r#"{"email":1}"#, "wrong_type"),
            (r#"{"email":null}"#, "wrong_type"),
        ] {
            assert_eq!(code(body), expected, "{body}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn gives_up_on_a_body_that_does_not_come() {
        let never = axum::body::Body::from_stream(futures_util::stream::pending::<
            Result<Bytes, std::io::Error>,
        >());
        let request = Request::post("/")
            .header(CONTENT_TYPE, JSON)
            .body(never)
            .unwrap();
        assert_eq!(
            read(request, JSON).await.unwrap_err().code(),
            "body_timeout"
        );
    }

    #[test]
    fn refuses_a_form_parameter_twice_and_takes_an_empty_one_as_absent() {
        assert_eq!(
            parse_form(b"a=1&a=2").err().unwrap().code(),
            "invalid_request"
        );
        assert_eq!(parse_form(b"a=%ff").err().unwrap().code(), "malformed_form");
        assert_eq!(parse_form(b"a=&b=x").unwrap().get("a"), None);
    }

    #[test]
    fn reads_a_form_as_it_was_meant() {
        let form = parse_form("&p=a+b%2Bc%26%ef%bf%bd\u{fffd}&q&=x".as_bytes()).unwrap();
        assert_eq!(form.get("p"), Some("a b+c&\u{fffd}\u{fffd}"));
        assert_eq!(form.get("q"), None);
        assert_eq!(parse_form(b"%ff=a").err().unwrap().code(), "malformed_form");
        assert_eq!(
            parse_form(b"%61=1&a=2").err().unwrap().code(),
            "invalid_request"
        );
    }
}
