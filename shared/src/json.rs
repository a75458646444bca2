//! Strict JSON objects: no member twice at any depth (RFC 7515, section 4; RFC 7519, section 4),
//! at most 32 deep, valid Unicode. Parsers differ on what those mean, so nobody gets to choose.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The deepest nesting, the outermost object being one.
const MAX_DEPTH: usize = 32;

/// Why bytes are not an object that we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// Not JSON (RFC 8259), not UTF-8, or a number that no `f64` holds.
    Malformed,
    /// JSON, but not an object.
    NotAnObject,
    /// One object names a member twice.
    DuplicateMember,
    /// Nested deeper than 32.
    TooDeep,
}

/// A JSON value, strings borrowed where they hold no escape.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(f64),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(JsonObject<'a>),
}

/// The members of an object by name.
pub(crate) type JsonObject<'a> = BTreeMap<Cow<'a, str>, Json<'a>>;

impl<'a> Json<'a> {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&[Json<'a>]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_object(&self) -> Option<&JsonObject<'a>> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The items, if this is an array of nothing but strings.
    pub(crate) fn as_strings(&self) -> Option<Vec<&str>> {
        self.as_array()?.iter().map(Json::as_str).collect()
    }
}

/// Reads one object and nothing after it but white space.
pub(crate) fn parse_object(bytes: &[u8]) -> Result<JsonObject<'_>, JsonError> {
    let fault = Cell::new(JsonError::Malformed);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = StrictValue {
        depth: 0,
        fault: &fault,
    }
    .deserialize(&mut deserializer)
    .map_err(|_| fault.get())?;
    deserializer.end().map_err(|_| JsonError::Malformed)?;
    match value {
        Json::Object(members) => Ok(members),
        _ => Err(JsonError::NotAnObject),
    }
}

/// Builds a [`Json`], noting in `fault` which of our own rules was broken: serde's error has no
/// room for it.
#[derive(Clone, Copy)]
struct StrictValue<'c> {
    depth: usize,
    fault: &'c Cell<JsonError>,
}

impl StrictValue<'_> {
    fn nested<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(JsonError::TooDeep));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    fn refuse<E: serde::de::Error>(self, fault: JsonError) -> E {
        self.fault.set(fault);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for StrictValue<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictValue<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "JSON numbers are read as IEEE doubles"
    )]
    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value as f64))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "JSON numbers are read as IEEE doubles"
    )]
    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json<'de>, E> {
        if value.is_finite() {
            Ok(Json::Number(value))
        } else {
            Err(E::custom("not finite"))
        }
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let seed = self.nested()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(seed)? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let seed = self.nested()?;
        let mut object = JsonObject::new();
        while let Some(name) = members.next_key_seed(MemberName)? {
            let value = members.next_value_seed(seed)?;
            if object.insert(name, value).is_some() {
                return Err(self.refuse(JsonError::DuplicateMember));
            }
        }
        Ok(Json::Object(object))
    }
}

/// A member's name, borrowed where it holds no escape.
struct MemberName;

impl<'de> DeserializeSeed<'de> for MemberName {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for MemberName {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &[u8]) -> JsonError {
        parse_object(text).unwrap_err()
    }

    #[test]
    fn reads_an_object_with_white_space_around_it() {
        let object = parse_object(b" {\"a\" : [1, \"x\\u0041\", null, true], \"b\":{}}\n").unwrap();
        let items = object["a"].as_array().unwrap();
        assert_eq!(items[0], Json::Number(1.0));
        assert_eq!(items[1].as_str(), Some("xA"));
        assert!(object["b"].as_object().unwrap().is_empty());
    }

    #[test]
    fn refuses_a_member_named_twice_at_any_depth_and_in_any_spelling() {
        assert_eq!(fault(br#"{"a":1,"a":1}"#), JsonError::DuplicateMember);
        assert_eq!(fault(br#"{"a":1,"\u0061":1}"#), JsonError::DuplicateMember);
        assert_eq!(
            fault(br#"{"x":[{"a":1,"b":2,"a":3}]}"#),
            JsonError::DuplicateMember
        );
    }

    #[test]
    fn refuses_more_than_32_levels() {
        let nested = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        assert!(parse_object(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(fault(nested(MAX_DEPTH + 1).as_bytes()), JsonError::TooDeep);
        let array = format!("{{\"a\":{}{}}}", "[".repeat(4000), "]".repeat(4000));
        assert_eq!(fault(array.as_bytes()), JsonError::TooDeep);
    }

    #[test]
    fn refuses_what_is_not_an_object() {
        for text in ["[]", "\"x\"", "1", "null", "true"] {
            assert_eq!(fault(text.as_bytes()), JsonError::NotAnObject, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_json() {
        let texts: [&[u8]; 12] = [
            b"",
            b"{",
            b"{} {}",
            b"{}x",
            b"\xef\xbb\xbf{}",
            b"{\"a\":\"\xff\"}",
            br#"{"a":"\ud800"}"#,
            br#"{"a":01}"#,
            br#"{"a":NaN}"#,
            br#"{"a":1e400}"#,
            br"{'a':1}",
            b"{\0}",
        ];
        for text in texts {
            assert_eq!(
                fault(text),
                JsonError::Malformed,
                "{}",
                String::from_utf8_lossy(text)
            );
        }
    }
}
