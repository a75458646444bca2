//! An answer of the origin, read to its end.

use axum::http::HeaderMap;
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) raw: String,
    /// Null where the body is not JSON.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            raw: String::from_utf8(bytes.to_vec()).unwrap(),
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    pub(crate) fn text(&self, member: &str) -> String {
        self.body[member]
            .as_str()
            .unwrap_or_else(|| panic!("no {member} in {self:?}"))
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// What a client can tell from a refusal: status, code, detail, and the headers that matter.
    /// Fails where it is not a complete problem+json.
    pub(crate) fn denial(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        assert_eq!(self.body["status"], self.status, "{self:?}");
        assert!(
            self.body["type"].is_string() && self.body["title"].is_string(),
            "{self:?}"
        );
        self.refusal(&self.text("detail"))
    }

    /// The same of an OAuth endpoint. Fails where it is not as RFC 6749, section 5.2, has it.
    pub(crate) fn oauth_denial(&self) -> String {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        assert_eq!(self.header("pragma"), "no-cache", "{self:?}");
        let members: Vec<&String> = self.body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["code", "error", "error_description"], "{self:?}");
        let error = format!("\nerror: {}", self.text("error"));
        self.refusal(&self.text("error_description")) + &error
    }

    fn refusal(&self, words: &str) -> String {
        assert_eq!(self.header("cache-control"), "no-store", "{self:?}");
        let mut lines = vec![format!("{} {}: {words}", self.status, self.code())];
        for name in ["www-authenticate", "allow"] {
            if self.headers.contains_key(name) {
                lines.push(format!("{name}: {}", self.header(name)));
            }
        }
        if self.headers.contains_key("retry-after") {
            lines.push("retry-after: given".to_owned());
        }
        lines.join("\n")
    }
}
