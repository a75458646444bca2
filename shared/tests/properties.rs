//! What holds for any bytes: parsing answers and never panics, what is printed reads back, and no
//! changed bit goes unnoticed.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use shared::{
    Before, CheckedSegment, Claims, Entry, Fingerprint, Head, KeySet, ListMessage, NativeVerifier,
    Segment, SegmentRef, SessionId, SubjectId, Tail, TokenId, UnixSeconds, UnverifiedHead,
    UnverifiedToken, ValidationPolicy, corpus, verify_now,
};

use crate::publisher::{ISSUER, NOW, TOKEN, encode, head, header, now, tail};

fn policy() -> ValidationPolicy {
    ValidationPolicy {
        issuer: ISSUER.to_owned(),
        audience: "https://api.example".to_owned(),
        typ: "at+jwt".to_owned(),
        algorithms: shared::Algorithm::ALL.to_vec(),
        leeway_secs: 30,
        max_lifetime_secs: 3600,
        require_session: true,
    }
}

fn claims() -> impl Strategy<Value = Claims> {
    let name = "[\\PC\0-\u{1f}\"\\\\]{1,40}";
    let names = (name, name, proptest::option::of(name));
    let texts = (
        proptest::option::of(".{0,20}"),
        proptest::option::of(".{0,20}"),
    );
    let lists = (vec(".{0,10}", 0..4), vec("[a-z]{1,8}", 0..3));
    let dates = (
        0_u64..300_000,
        300_000_u64..3_600_000,
        proptest::option::of(0_u64..4_000_000_000_000),
    );
    (names, texts, lists, dates, any::<Option<bool>>()).prop_map(
        |(names, texts, lists, dates, email_verified)| {
            let (sub, jti, sid) = names;
            let iat = NOW * 1000 - dates.0;
            let mut aud = lists.0;
            aud.push("https://api.example".to_owned());
            Claims {
                iss: ISSUER.to_owned(),
                sub: SubjectId::parse(&sub).unwrap(),
                aud,
                exp: UnixSeconds::from_millis(iat + dates.1),
                nbf: None,
                iat: UnixSeconds::from_millis(iat),
                jti: TokenId::parse(&jti).unwrap(),
                sid: sid.map(|sid| SessionId::parse(&sid).unwrap()),
                client_id: texts.0,
                scope: texts.1.clone(),
                roles: lists.1,
                email: texts.1,
                email_verified,
                auth_time: dates.2.map(UnixSeconds::from_millis),
            }
        },
    )
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let before = prop_oneof![
        Just(Before::Always),
        (0_u64..1 << 50).prop_map(|secs| Before::Time(UnixSeconds::from_secs(secs))),
    ];
    let entry = (any::<u64>(), before).prop_map(|(name, before)| Entry {
        fingerprint: Fingerprint(name),
        before,
    });
    vec(entry, 0..200)
}

/// Judges a token all the way.
fn validate(token: &str) -> Result<Claims, shared::TokenError> {
    let token = UnverifiedToken::parse(token)?;
    let signed = verify_now(token.verify_signature(&TOKEN.key_set("ed"), &NativeVerifier))?;
    Ok(signed.validate(&policy(), now())?.claims().clone())
}

fn good_token() -> String {
    let claims = json!({
        "iss": ISSUER, "sub": "user-1", "aud": "https://api.example", "exp": NOW + 300, "iat": NOW - 300,
        "jti": "kD2y0pRfT7mQnB4vXwZ1sA", "sid": "Zt8uK3xWqL5nVbR2cYdE9g", "client_id": "web",
    });
    TOKEN.sign(&header("at+jwt", "ed"), &claims.to_string())
}

/// Every bit of the text, whether or not what comes of it is text.
#[test]
fn refuses_a_good_token_with_any_one_bit_flipped() {
    let good = good_token();
    assert!(validate(&good).is_ok());
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        assert!(validate(&text).is_err(), "bit {bit}");
    }
}

/// Every bit of the decoded parts, encoded again in the one spelling.
#[test]
fn refuses_a_good_token_with_any_one_bit_of_its_bytes_flipped() {
    use base64::Engine as _;
    let good = good_token();
    let parts: Vec<Vec<u8>> = good
        .split('.')
        .map(|part| {
            base64::engine::general_purpose::URL_SAFE_NO_PAD
                .decode(part)
                .unwrap()
        })
        .collect();
    for (changed, part) in parts.iter().enumerate() {
        for bit in 0..part.len() * 8 {
            let mut parts = parts.clone();
            parts[changed][bit / 8] ^= 1 << (bit % 8);
            let text = parts.iter().map(encode).collect::<Vec<_>>().join(".");
            assert!(validate(&text).is_err(), "bit {bit} of part {changed}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn claims_that_are_printed_validate_and_read_back(claims in claims()) {
        let token = TOKEN.sign(&header("at+jwt", "ed"), &claims.to_json());
        let read = validate(&token);
        if claims.sid.is_some() && claims.client_id.is_some() {
            prop_assert_eq!(read, Ok(claims));
        } else {
            prop_assert!(read.is_err());
        }
    }

    #[test]
    fn a_head_that_is_printed_reads_back(ver in any::<u64>(), grace in any::<u32>(), entries in entries()) {
        let mut written: Head = head(ver, &tail(&entries), vec![]);
        written.grace = u64::from(grace);
        written.issuers[0].not_before = Some(UnixSeconds::from_secs(ver >> 12));
        let read: Head = serde_json::from_str(&written.to_json()).unwrap();
        prop_assert_eq!(read, written);
    }

    #[test]
    fn a_message_that_is_printed_reads_back(head in ".{0,60}", from in any::<u64>(), tail in vec(any::<u8>(), 0..300)) {
        let message = ListMessage { head, from, tail };
        prop_assert_eq!(ListMessage::parse(message.to_json().as_bytes()), Ok(message));
    }

    #[test]
    fn a_tail_that_is_printed_reads_back(entries in entries()) {
        let written = tail(&entries);
        let read = Tail::parse(written.as_bytes()).unwrap();
        prop_assert_eq!(read.entries().collect::<Vec<_>>(), entries);
        prop_assert_eq!(read.sha256(), written.sha256());
    }

    #[test]
    fn a_segment_that_is_built_reads_back(entries in entries()) {
        let segment = Segment::parse(Segment::build(&entries)).unwrap();
        let read: Vec<_> = segment.entries().collect();
        prop_assert_eq!(Segment::build(&read), Segment::build(&entries));
        for entry in &entries {
            prop_assert!(segment.find(entry.fingerprint) >= Some(entry.before));
        }
    }

    #[test]
    fn parsing_any_text_answers(text in "(?s).{0,200}") {
        // Whatever the answer is: that there is one is what counts.
        drop(UnverifiedToken::parse(&text));
        drop(UnverifiedHead::parse(&text));
        drop(KeySet::parse(text.as_bytes()));
        drop(ListMessage::parse(text.as_bytes()));
        let verdict = verify_now(corpus::run_line(&text, &NativeVerifier));
        prop_assert!(verdict.contains("case_malformed"));
    }

    #[test]
    fn parsing_any_bytes_answers(bytes in vec(any::<u8>(), 0..400)) {
        drop(KeySet::parse(&bytes));
        drop(ListMessage::parse(&bytes));
        drop(Tail::parse(&bytes));
        if let Ok(segment) = Segment::parse(bytes) {
            prop_assert_eq!(segment.entries().count() as u64, segment.count());
        }
    }

    #[test]
    fn a_token_of_any_header_and_payload_is_refused_or_good(header in "(?s).{0,100}", payload in "(?s).{0,100}") {
        prop_assert!(validate(&TOKEN.sign(&header, &payload)).is_err());
    }

    #[test]
    fn asking_a_damaged_segment_answers(entries in entries(), place in any::<prop::sample::Index>(), value in any::<u8>(), name in any::<u64>()) {
        let mut bytes = Segment::build(&entries);
        let place = place.index(bytes.len());
        bytes[place] = value;
        let reference = SegmentRef { sha256: Segment::sha256_of(&bytes), count: 0, until: UnixSeconds::EPOCH };
        let checked = CheckedSegment::check(&reference, bytes.clone());
        if let Ok(segment) = Segment::parse(bytes) {
            let checked = checked.unwrap();
            for asked in entries.iter().map(|entry| entry.fingerprint).chain([Fingerprint(name)]) {
                prop_assert_eq!(checked.find(asked), segment.find(asked));
            }
            prop_assert!(segment.find(Fingerprint(name)).is_none_or(|before| before >= Before::Time(UnixSeconds::EPOCH)));
            prop_assert_eq!(segment.entries().count() as u64, segment.count());
        }
    }
}
