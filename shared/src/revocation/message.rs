//! What travels: a head, and the bytes of its tail from some offset on. The whole tail in KV, only
//! what is new on the pull lane.

use serde::{Deserialize, Serialize};

use crate::base64url;
use crate::error::ListError;
use crate::json;
use crate::revocation::head::MAX_HEAD_BYTES;
use crate::revocation::tail::MAX_TAIL_BYTES;

/// The longest message in bytes: head, tail in base64url, member names and a number.
pub const MAX_MESSAGE_BYTES: usize = MAX_HEAD_BYTES + MAX_TAIL_BYTES.div_ceil(3) * 4 + 256;

/// A list message: JSON `{"head", "from", "tail"}`. Nothing in it is trusted but what the head's
/// signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListMessage {
    /// The head, a compact JWS.
    pub head: String,
    /// Where in the whole tail `tail` begins, in bytes.
    pub from: u64,
    /// The tail's bytes from there to its end.
    pub tail: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    head: String,
    from: u64,
    tail: String,
}

impl ListMessage {
    /// Reads a message of bounded length.
    pub fn parse(json: &[u8]) -> Result<Self, ListError> {
        if json.len() > MAX_MESSAGE_BYTES {
            return Err(ListError::MessageTooLong);
        }
        // Serde would take an array of the three values as well.
        json::parse_object(json).map_err(|_| ListError::MessageMalformed)?;
        let wire: Wire = serde_json::from_slice(json).map_err(|_| ListError::MessageMalformed)?;
        let tail = base64url::decode(&wire.tail).ok_or(ListError::MessageMalformed)?;
        Ok(Self {
            head: wire.head,
            from: wire.from,
            tail,
        })
    }

    /// The message as it travels.
    #[must_use]
    pub fn to_json(&self) -> String {
        let tail = base64url::encode(&self.tail);
        let wire = Wire {
            head: self.head.clone(),
            from: self.from,
            tail,
        };
        // Unwrap safety: two strings and a number under string names always serialise.
        serde_json::to_string(&wire).expect("a message is plain JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_back() {
        let message = ListMessage {
            head: "a.b.c".to_owned(),
            from: 9,
            tail: vec![0, 255, 7],
        };
        assert_eq!(
            message.to_json(),
            r#"{"head":"a.b.c","from":9,"tail":"AP8H"}"#
        );
        assert_eq!(
            ListMessage::parse(message.to_json().as_bytes()),
            Ok(message)
        );
    }

    #[test]
    fn refuses_what_is_no_message() {
        for text in [
            "",
            "null",
            "{}",
            r#"{"head":"a","from":0}"#,
            r#"{"head":"a","from":-1,"tail":""}"#,
            r#"{"head":"a","from":0.5,"tail":""}"#,
            r#"{"head":"a","from":0,"tail":"AP8H="}"#,
            r#"{"head":"a","from":0,"tail":"","tail":""}"#,
            r#"{"head":"a","from":0,"tail":"","x":1,"x":1}"#,
            r#"["a",0,""]"#,
        ] {
            let parsed = ListMessage::parse(text.as_bytes());
            assert_eq!(parsed, Err(ListError::MessageMalformed), "{text}");
        }
        let long = vec![b' '; MAX_MESSAGE_BYTES + 1];
        assert_eq!(ListMessage::parse(&long), Err(ListError::MessageTooLong));
    }
}
