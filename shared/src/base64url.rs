//! Base64url as RFC 7515, section 2, has it: no padding, no white space, and one spelling for one
//! value (non-zero trailing bits are refused).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The bytes, or `None` if `text` is not their one spelling.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    // `URL_SAFE_NO_PAD` refuses padding and trailing bits; the tests below hold it to that.
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The one spelling of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_one_spelling() {
        assert_eq!(decode("_-8"), Some(vec![0xff, 0xef]));
        for bad in [
            "_-9", "_-8=", "/+8", "_-8\n", " _-8", "_", "_-8.", "_-8!!!!",
        ] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
