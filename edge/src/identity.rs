//! Who the request comes from, as headers for the upstream, and which inbound headers could pass
//! for them. Knows header names and values as text; sets nothing itself.

use shared::Claims;

/// Header names that only the edge may set, in the lower case that platforms give.
pub const SUBJECT: &str = "auth-subject";
pub const SESSION: &str = "auth-session";
pub const SCOPE: &str = "auth-scope";
pub const TOKEN_ID: &str = "auth-token-id";

const RESERVED: [&str; 4] = [SUBJECT, SESSION, SCOPE, TOKEN_ID];

/// Taken from verified claims, or from the origin's answer about the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub subject: String,
    pub session: Option<String>,
    pub scope: Option<String>,
    pub token_id: String,
}

impl Identity {
    #[must_use]
    pub fn of(claims: &Claims) -> Self {
        Self {
            subject: claims.sub.as_str().to_owned(),
            session: claims.sid.as_ref().map(|sid| sid.as_str().to_owned()),
            scope: claims.scope.clone(),
            token_id: claims.jti.as_str().to_owned(),
        }
    }

    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        self.scope
            .as_ref()
            .is_some_and(|scope| scope.split(' ').any(|granted| granted == name))
    }

    /// Names and values to set, each value safe in a header.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let one = |text: &String| encode_value(text, Spaces::Encode);
        let mut headers = vec![
            (SUBJECT, one(&self.subject)),
            (TOKEN_ID, one(&self.token_id)),
        ];
        headers.extend(self.session.as_ref().map(|session| (SESSION, one(session))));
        headers.extend(
            self.scope
                .as_ref()
                .map(|scope| (SCOPE, encode_value(scope, Spaces::Keep))),
        );
        headers
    }
}

/// Whether an upstream could read the inbound header `name` as one of ours. Gateways behind CGI,
/// WSGI and the like turn every other character into `_`, so `auth_subject` is `Auth-Subject` there.
#[must_use]
pub fn is_reserved_name(name: &str) -> bool {
    RESERVED.iter().any(|reserved| {
        reserved.len() == name.len()
            && reserved
                .bytes()
                .zip(name.bytes())
                .all(|(ours, theirs)| match ours {
                    b'-' => !theirs.is_ascii_alphanumeric(),
                    letter => letter.eq_ignore_ascii_case(&theirs),
                })
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Spaces {
    Keep,
    Encode,
}

/// A claim is any Unicode text; a header value is not. What is not visible ASCII is
/// percent-encoded, and so is `%`, so that no two claims become one header.
fn encode_value(text: &str, spaces: Spaces) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_kept_space = byte == b' ' && spaces == Spaces::Keep;
        if is_kept_space || (byte.is_ascii_graphic() && byte != b'%') {
            value.push(char::from(byte));
        } else {
            value.push('%');
            value.push(char::from(HEX[usize::from(byte >> 4)]));
            value.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    value
}
