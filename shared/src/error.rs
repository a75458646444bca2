//! Every reason to refuse, each with one stable code: closed, comparable, without text from outside,
//! so that a reason can be logged, counted and sent without a leak.

use thiserror::Error;

/// Declares an error enum whose variants carry one code and one sentence each.
macro_rules! define_errors {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal: $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
        pub enum $name {
            $(#[doc = $text] #[error($text)] $variant,)+
        }

        impl $name {
            /// Every reason, in the order in which they are documented.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable name of the reason, for responses, logs, metrics and verdicts.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }
        }
    };
}

define_errors! {
    /// Why a name (`jti`, `sid`, `sub`, `kid`) is refused.
    IdError {
        Empty = "id_empty": "a name must not be empty",
        TooLong = "id_too_long": "a name has at most 255 bytes",
    }
}

define_errors! {
    /// Why a token is refused.
    TokenError {
        TooLong = "token_too_long": "the token is longer than 8 KiB",
        IllegalCharacter = "token_illegal_character": "a compact JWS holds only A-Z a-z 0-9 - _ and dots",
        WrongPartCount = "token_wrong_part_count": "a compact JWS has exactly three parts",
        EmptySignature = "token_signature_missing": "the signature part is empty",
        HeaderEncoding = "header_encoding_invalid": "the header is not the one base64url spelling of its bytes",
        PayloadEncoding = "payload_encoding_invalid": "the payload is not the one base64url spelling of its bytes",
        SignatureEncoding = "signature_encoding_invalid": "the signature is not the one base64url spelling of its bytes",
        HeaderJson = "header_json_invalid": "the header is not valid JSON",
        HeaderNotAnObject = "header_not_an_object": "the header is not a JSON object",
        HeaderDuplicateMember = "header_duplicate_member": "the header names a member twice",
        HeaderTooDeep = "header_too_deep": "the header is nested more than 32 deep",
        CriticalHeader = "header_crit_refused": "the header has `crit`: no extension is understood",
        EmbeddedKey = "header_embedded_key": "the header brings its own key (`jwk`, `jku`, `x5u`, `x5c`)",
        UnencodedPayload = "header_b64_refused": "the header has `b64`: no access token has it",
        CompressedPayload = "header_zip_refused": "the header has `zip`: no access token has it",
        Encrypted = "header_enc_refused": "the header has `enc`: no access token has it",
        NestedToken = "header_cty_refused": "the header says that the payload is another token (`cty`)",
        AlgorithmMissing = "alg_missing": "the header has no `alg`",
        AlgorithmRefused = "alg_refused": "the header's `alg` is not a string that is ever accepted",
        TypNotAString = "typ_not_a_string": "the header's `typ` is not a string",
        KeyIdInvalid = "kid_invalid": "the header's `kid` is not a string of 1 to 255 bytes",
        NoUsableKey = "key_set_empty": "the key set has no usable key",
        KeyIdMissing = "kid_missing": "the header has no `kid` and the set has more than one usable key",
        UnknownKey = "kid_unknown": "no usable key of the set has the header's `kid`",
        AlgorithmMismatch = "alg_mismatch": "the header's `alg` is not the one that the key is pinned to",
        SignatureLength = "signature_length_wrong": "the signature does not have the length that its key and algorithm give it",
        SignaturePoint = "signature_point_refused": "the signature's point R is of small order or not in its one encoding",
        SignatureInvalid = "signature_invalid": "the signature does not verify",
        EngineFailed = "engine_failed": "the signature could not be checked: a fault of the verifier, not of the token",
        PayloadJson = "payload_json_invalid": "the payload is not valid JSON",
        PayloadNotAnObject = "payload_not_an_object": "the payload is not a JSON object",
        PayloadDuplicateMember = "payload_duplicate_member": "the payload names a member twice",
        PayloadTooDeep = "payload_too_deep": "the payload is nested more than 32 deep",
        AlgorithmNotAllowed = "alg_not_allowed": "the policy does not allow the token's algorithm",
        TypMissing = "typ_missing": "the header has no `typ` and the policy asks for one",
        TypMismatch = "typ_mismatch": "the header's `typ` is not the one that the policy asks for",
        IssuerMissing = "iss_missing": "the token has no `iss`",
        IssuerInvalid = "iss_not_a_string": "`iss` is not a string",
        IssuerMismatch = "iss_mismatch": "`iss` is not the issuer that the policy names",
        AudienceMissing = "aud_missing": "the token has no `aud`",
        AudienceInvalid = "aud_invalid": "`aud` is neither a string nor an array of strings",
        AudienceMismatch = "aud_mismatch": "`aud` does not contain us",
        SubjectMissing = "sub_missing": "the token has no `sub`",
        SubjectInvalid = "sub_invalid": "`sub` is not a string of 1 to 255 bytes",
        TokenIdMissing = "jti_missing": "the token has no `jti`, so it could not be revoked",
        TokenIdInvalid = "jti_invalid": "`jti` is not a string of 1 to 255 bytes",
        SessionIdMissing = "sid_missing": "the token has no `sid` and the policy asks for one",
        SessionIdInvalid = "sid_invalid": "`sid` is not a string of 1 to 255 bytes",
        ClientIdMissing = "client_id_missing": "the token has no `client_id` and the policy asks for one",
        ClientIdInvalid = "client_id_not_a_string": "`client_id` is not a string",
        ScopeInvalid = "scope_not_a_string": "`scope` is not a string",
        RolesInvalid = "roles_invalid": "`roles` is not an array of strings",
        ExpiryMissing = "exp_missing": "the token has no `exp`",
        ExpiryInvalid = "exp_invalid": "`exp` is not a finite, non-negative number",
        IssuedAtMissing = "iat_missing": "the token has no `iat`",
        IssuedAtInvalid = "iat_invalid": "`iat` is not a finite, non-negative number",
        NotBeforeInvalid = "nbf_invalid": "`nbf` is not a finite, non-negative number",
        AuthTimeInvalid = "auth_time_invalid": "`auth_time` is not a finite, non-negative number",
        ExpiresBeforeIssued = "exp_before_iat": "`exp` lies before `iat`",
        LifetimeTooLong = "lifetime_too_long": "`exp` − `iat` is longer than the policy allows",
        Expired = "token_expired": "the token has expired",
        NotYetValid = "token_not_yet_valid": "the token's `nbf` lies in the future",
        IssuedInTheFuture = "iat_in_the_future": "the token's `iat` lies in the future",
    }
}

define_errors! {
    /// Why one key of a set is left out.
    KeyError {
        NotAnObject = "key_not_an_object": "a key is a JSON object",
        TypeMissing = "key_kty_missing": "the key has no `kty`",
        TypeRefused = "key_kty_refused": "the key is neither OKP, EC nor RSA",
        Symmetric = "key_symmetric": "a symmetric key in a published set: who can check an HMAC can forge one",
        Private = "key_private": "the key shows its private half",
        CurveRefused = "key_crv_refused": "the curve is neither Ed25519, P-256 nor P-384",
        UseForbids = "key_use_forbids": "`use` does not say `sig`",
        OperationsForbid = "key_ops_forbid": "`key_ops` does not hold `verify`, or is malformed",
        AlgorithmRefused = "key_alg_refused": "`alg` is not an accepted algorithm for a key of this type and curve",
        KeyIdInvalid = "key_kid_invalid": "`kid` is not a string of 1 to 255 bytes",
        KeyIdRepeated = "key_kid_repeated": "another key of the set has the same `kid`",
        CoordinateInvalid = "key_coordinate_invalid": "a coordinate is missing, not base64url, or not of the curve's length",
        PointInvalid = "key_point_invalid": "the point is not on the curve, not canonical, or of small order",
        ModulusInvalid = "key_modulus_invalid": "`n` is missing, not base64url, has leading zeros, or is even",
        ModulusTooShort = "key_modulus_too_short": "`n` has fewer than 2048 bits",
        ModulusTooLong = "key_modulus_too_long": "`n` has more than 8192 bits",
        ModulusWeak = "key_modulus_weak": "`n` was made by a generator that is known to be broken (ROCA)",
        ExponentInvalid = "key_exponent_invalid": "`e` is missing, malformed, or not 65537, the one that every engine takes",
    }
}

define_errors! {
    /// Why a whole key set is refused.
    KeySetError {
        Malformed = "jwks_malformed": "the key set is not a JSON object with an array `keys`, or names a member twice",
        TooManyKeys = "jwks_too_many_keys": "the key set has more than 100 keys",
    }
}

define_errors! {
    /// Why a copy of the list is refused.
    ListError {
        MessageMalformed = "list_message_malformed": "the list message is not JSON of the form head, from, tail",
        MessageTooLong = "list_message_too_long": "the list message is longer than head and tail can be",
        HeadMalformed = "list_head_malformed": "the head is not a compact JWS, or its header breaks a rule of tokens",
        HeadTooLong = "list_head_too_long": "the head is longer than 16 KiB",
        HeadWrongType = "list_head_wrong_type": "the head's `typ` is not `revocation-list+jwt`",
        HeadKeyUnknown = "list_head_key_unknown": "the head is not signed by a pinned list key",
        HeadSignatureInvalid = "list_head_signature_invalid": "the head's signature does not verify",
        EngineFailed = "list_engine_failed": "a signature or a hash could not be computed: a fault of the host, not of the list",
        HeadPayload = "list_head_payload_invalid": "the head's payload does not have the members of a list, or bad values",
        HeadWrongIssuer = "list_head_wrong_issuer": "the head was made by another issuer",
        HeadTimes = "list_head_times_invalid": "the head's `exp` is not after its `iat`",
        HeadExpired = "list_head_expired": "the head has expired, its grace included",
        IssuerKeys = "list_issuer_keys_invalid": "an issuer's keys are not a key set",
        TooManySegments = "list_too_many_segments": "the head names more than 48 segments",
        NotNewer = "list_not_newer": "the list is not newer than the one that is held",
        VersionConflict = "list_version_conflict": "two different heads have one version: an alarm",
        TailTooLong = "list_tail_too_long": "the tail is longer than 64 KiB",
        TailMalformed = "list_tail_malformed": "the tail is not a sequence of entries",
        TailMismatch = "list_tail_mismatch": "the tail is not the one that the head signs: ask for the whole",
        SegmentMissing = "list_segment_missing": "a segment that the head names was not fetched",
        SegmentMismatch = "list_segment_mismatch": "a segment is not the one that the head signs",
        SegmentMalformed = "list_segment_malformed": "a segment is not in its format",
        SegmentTooLong = "list_segment_too_long": "a segment is longer than its format allows",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_reasons_share_a_code() {
        let codes: Vec<_> = [
            IdError::ALL.iter().map(|e| e.code()).collect::<Vec<_>>(),
            TokenError::ALL.iter().map(|e| e.code()).collect(),
            KeyError::ALL.iter().map(|e| e.code()).collect(),
            KeySetError::ALL.iter().map(|e| e.code()).collect(),
            ListError::ALL.iter().map(|e| e.code()).collect(),
        ]
        .concat();
        let unique: BTreeSet<_> = codes.iter().collect();
        assert_eq!(unique.len(), codes.len());
        for code in codes {
            assert!(
                code.chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            );
        }
    }
}
