//! Attacks on the list: copies of it that are forged, old, cut, mixed or too large, each refused
//! with its own reason, and none a reason to panic.

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::{
    Before, CheckedSegment, DigestFailed, Digester, Entry, Fingerprint, HEAD_TYP, ListError,
    ListMessage, MAX_HEAD_BYTES, MAX_SEGMENT_BYTES, MAX_SEGMENTS, MAX_TAIL_BYTES, NativeVerifier,
    RevocationList, RevocationStatus, Segment, SegmentRef, SignatureCheck, SignatureError,
    SignatureVerifier, Tail, TokenId, UnixSeconds, UnverifiedToken, verify_now,
};

use crate::publisher::{
    ISSUER, LIST, TOKEN, encode, head, header, message, now, pins, read, segment, sign, tail,
    verify,
};
use crate::verdicts::find_case;

fn entry(name: u64) -> Entry {
    Entry {
        fingerprint: Fingerprint(name.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        before: Before::Always,
    }
}

fn entries(count: u64) -> Vec<Entry> {
    (0..count).map(entry).collect()
}

/// The reason to refuse a message whose head was replaced by `jws`.
fn fault_of_head(jws: String) -> ListError {
    let message = ListMessage {
        head: jws,
        from: 0,
        tail: Vec::new(),
    };
    read(&message, None, &[]).unwrap_err()
}

/// The reason to refuse a signed head whose payload was changed by `change`.
fn fault_of_payload(change: impl FnOnce(&mut Value)) -> ListError {
    let mut payload = serde_json::to_value(head(1, &Tail::new(), vec![])).unwrap();
    change(&mut payload);
    fault_of_head(LIST.sign(&header(HEAD_TYP, "list"), &payload.to_string()))
}

#[test]
fn takes_a_good_list() {
    let tail = tail(&entries(3));
    let (reference, bytes) = segment(&entries(50));
    let head = head(7, &tail, vec![reference.clone()]);
    let list = read(&message(&head, &tail, 0), None, &[(reference, bytes)]).unwrap();
    assert_eq!(list.version(), 7);
    assert_eq!(list.entry_count(), 53);
    assert_eq!(list.find(entry(40).fingerprint), Some(Before::Always));
    assert_eq!(list.find(entry(60).fingerprint), None);
}

#[test]
fn refuses_a_head_signed_by_another_key() {
    let head = head(1, &Tail::new(), vec![]);
    let under_our_name = TOKEN.sign(&header(HEAD_TYP, "list"), &head.to_json());
    assert_eq!(
        fault_of_head(under_our_name),
        ListError::HeadSignatureInvalid
    );
    let under_its_own = TOKEN.sign(&header(HEAD_TYP, "ed"), &head.to_json());
    assert_eq!(fault_of_head(under_its_own), ListError::HeadKeyUnknown);
}

#[test]
fn refuses_a_token_as_a_head() {
    let head = head(1, &Tail::new(), vec![]);
    for typ in ["at+jwt", "JWT", "", "revocation-list"] {
        let jws = LIST.sign(&header(typ, "list"), &head.to_json());
        assert_eq!(fault_of_head(jws), ListError::HeadWrongType, "{typ}");
    }
    let without = LIST.sign(r#"{"alg":"EdDSA","kid":"list"}"#, &head.to_json());
    assert_eq!(fault_of_head(without), ListError::HeadWrongType);
}

#[test]
fn refuses_a_head_with_a_header_that_no_token_may_have() {
    let payload = head(1, &Tail::new(), vec![]).to_json();
    for header in [
        r#"{"alg":"EdDSA","typ":"revocation-list+jwt","kid":"list","crit":[]}"#,
        r#"{"alg":"none","typ":"revocation-list+jwt","kid":"list"}"#,
        r#"{"alg":"EdDSA","typ":"revocation-list+jwt","kid":"list","jwk":{}}"#,
        r#"{"alg":"EdDSA","typ":"revocation-list+jwt","kid":"list","kid":"list"}"#,
    ] {
        assert_eq!(
            fault_of_head(LIST.sign(header, &payload)),
            ListError::HeadMalformed
        );
    }
}

#[test]
fn refuses_a_head_of_another_issuer() {
    let fault = fault_of_payload(|head| head["iss"] = json!("https://issuer.example/"));
    assert_eq!(fault, ListError::HeadWrongIssuer);
}

#[test]
fn refuses_a_head_past_its_exp_and_grace() {
    let tail = Tail::new();
    let mut head = head(1, &tail, vec![]);
    head.iat = now().minus_secs(300);
    head.exp = now();
    let fault = verify(&message(&head, &tail, 0)).unwrap_err();
    assert_eq!(fault, ListError::HeadExpired);
    head.grace = 1;
    let list = read(&message(&head, &tail, 0), None, &[]).unwrap();
    assert!(list.is_expired(now()));
}

#[test]
fn refuses_a_head_that_dies_before_it_was_made() {
    for exp in [0_u64, 1_800_000_000] {
        let fault = fault_of_payload(|head| {
            head["exp"] = json!(exp);
            head["grace"] = json!(1_000_000_000_000_u64);
        });
        assert_eq!(fault, ListError::HeadTimes);
    }
}

#[test]
fn refuses_a_head_payload_of_another_shape() {
    for member in ["iss", "iat", "exp", "ver", "issuers", "tail"] {
        let fault = fault_of_payload(|head| {
            head.as_object_mut().unwrap().remove(member);
        });
        assert_eq!(fault, ListError::HeadPayload, "without {member}");
        let fault = fault_of_payload(|head| head[member] = json!(null));
        assert_eq!(fault, ListError::HeadPayload, "{member} is null");
    }
    for (member, value) in [
        ("ver", json!(-1)),
        ("ver", json!(1.5)),
        ("ver", json!("1")),
        ("iat", json!(-1)),
        ("exp", json!("never")),
        ("grace", json!(-1)),
        ("segments", json!({})),
        ("tail", json!({"sha256": "", "count": -1})),
    ] {
        let fault = fault_of_payload(|head| head[member] = value.clone());
        assert_eq!(fault, ListError::HeadPayload, "{member} is {value}");
    }
    let text = head(1, &Tail::new(), vec![]).to_json();
    for payload in [
        text.replacen('{', "{\"ver\":0,", 1),
        text.replace("\"count\":0", "\"count\":0,\"count\":1"),
        format!("[{text}]"),
        String::new(),
    ] {
        let jws = LIST.sign(&header(HEAD_TYP, "list"), &payload);
        assert_eq!(fault_of_head(jws), ListError::HeadPayload, "{payload}");
    }
}

#[test]
fn refuses_a_head_that_names_one_issuer_or_one_segment_twice() {
    let fault = fault_of_payload(|head| {
        let issuer = head["issuers"][0].clone();
        head["issuers"].as_array_mut().unwrap().push(issuer);
    });
    assert_eq!(fault, ListError::HeadPayload);
    let (reference, _) = segment(&entries(2));
    let twice = head(1, &Tail::new(), vec![reference.clone(), reference]);
    assert_eq!(fault_of_head(sign(&twice)), ListError::HeadPayload);
}

#[test]
fn refuses_issuer_keys_that_are_no_key_set() {
    for keys in [
        json!({}),
        json!(null),
        json!("keys"),
        json!(vec![json!({}); 101]),
    ] {
        let fault = fault_of_payload(|head| head["issuers"][0]["keys"] = keys.clone());
        assert_eq!(fault, ListError::IssuerKeys);
    }
}

#[test]
fn refuses_more_segments_than_a_head_may_name() {
    let named = |count: usize| {
        let reference = |n: usize| SegmentRef {
            sha256: format!("{n:043}"),
            count: 1,
            until: now(),
        };
        head(1, &Tail::new(), (0..count).map(reference).collect())
    };
    let fault = verify(&message(&named(MAX_SEGMENTS + 1), &Tail::new(), 0)).unwrap_err();
    assert_eq!(fault, ListError::TooManySegments);
    let verified = verify(&message(&named(MAX_SEGMENTS), &Tail::new(), 0)).unwrap();
    assert_eq!(verified.missing_segments(None).len(), MAX_SEGMENTS);
}

#[test]
fn refuses_an_overlong_head_message_tail_and_segment() {
    let mut long = head(1, &Tail::new(), vec![]);
    long.iss = "x".repeat(MAX_HEAD_BYTES);
    assert_eq!(fault_of_head(sign(&long)), ListError::HeadTooLong);

    let spaces = vec![b' '; 2 * (MAX_HEAD_BYTES + MAX_TAIL_BYTES)];
    let fault = ListMessage::parse(&spaces).unwrap_err();
    assert_eq!(fault, ListError::MessageTooLong);

    let mut overlong = message(&head(1, &Tail::new(), vec![]), &Tail::new(), 0);
    overlong.tail = vec![0; MAX_TAIL_BYTES + 1];
    assert_eq!(
        read(&overlong, None, &[]).unwrap_err(),
        ListError::TailTooLong
    );

    let fault = Segment::parse(vec![0; MAX_SEGMENT_BYTES + 1]).unwrap_err();
    assert_eq!(fault, ListError::SegmentTooLong);
}

#[test]
fn refuses_a_message_cut_at_any_place() {
    let tail = tail(&entries(2));
    let json = message(&head(1, &tail, vec![]), &tail, 0).to_json();
    for cut in 0..json.len() {
        let fault = ListMessage::parse(&json.as_bytes()[..cut]).unwrap_err();
        assert_eq!(fault, ListError::MessageMalformed, "cut at {cut}");
    }
    let whole = message(&head(1, &tail, vec![]), &tail, 0);
    for cut in 0..whole.head.len() {
        let mut cut_head = whole.clone();
        cut_head.head.truncate(cut);
        assert!(read(&cut_head, None, &[]).is_err(), "head cut at {cut}");
    }
}

#[test]
fn refuses_an_older_list_and_a_second_one_of_the_same_version() {
    let tail = Tail::new();
    let list = |head| read(&message(&head, &tail, 0), None, &[]).unwrap();
    let current = list(head(5, &tail, vec![]));
    let offer = |head| read(&message(&head, &tail, 0), Some(&current), &[]).map(|_| ());

    assert_eq!(offer(head(4, &tail, vec![])), Err(ListError::NotNewer));
    assert_eq!(offer(head(0, &tail, vec![])), Err(ListError::NotNewer));
    assert_eq!(offer(head(5, &tail, vec![])), Err(ListError::NotNewer));
    let mut twin = head(5, &tail, vec![]);
    twin.exp = twin.exp.plus_secs(1);
    assert_eq!(offer(twin), Err(ListError::VersionConflict));
    assert_eq!(offer(head(6, &tail, vec![])), Ok(()));
    assert_eq!(offer(head(u64::MAX, &tail, vec![])), Ok(()));
}

#[test]
fn refuses_a_tail_that_the_head_did_not_sign() {
    let signed = tail(&entries(3));
    let good = message(&head(1, &signed, vec![]), &signed, 0);
    for bytes in [
        vec![],
        tail(&entries(2)).as_bytes().to_vec(),
        tail(&entries(4)).as_bytes().to_vec(),
        tail(&[entry(1), entry(0), entry(2)]).as_bytes().to_vec(),
    ] {
        let mut other = good.clone();
        other.tail = bytes;
        assert_eq!(
            read(&other, None, &[]).unwrap_err(),
            ListError::TailMismatch
        );
    }
    let mut ragged = good.clone();
    ragged.tail.pop();
    assert_eq!(
        read(&ragged, None, &[]).unwrap_err(),
        ListError::TailMalformed
    );
    let mut unknown_kind = good;
    unknown_kind.tail[0] = 9;
    assert_eq!(
        read(&unknown_kind, None, &[]).unwrap_err(),
        ListError::TailMalformed
    );
}

#[test]
fn refuses_a_tail_of_another_count_than_claimed() {
    let signed = tail(&entries(3));
    for count in [0, 2, 4, 1_000_000_000, u64::MAX] {
        let mut claims = head(1, &signed, vec![]);
        claims.tail.count = count;
        let fault = read(&message(&claims, &signed, 0), None, &[]).unwrap_err();
        assert_eq!(fault, ListError::TailMismatch, "{count}");
    }
}

#[test]
fn a_suffix_fits_wherever_it_begins_or_is_refused() {
    let all = entries(6);
    let (old, new) = (tail(&all[..4]), tail(&all));
    let current = read(&message(&head(1, &old, vec![]), &old, 0), None, &[]).unwrap();
    let newer = head(2, &new, vec![]);
    for from in 0..=new.as_bytes().len() {
        let offered = read(&message(&newer, &new, from), Some(&current), &[]);
        let fits = from <= old.as_bytes().len() && from % 9 == 0;
        assert_eq!(offered.is_ok(), fits, "from {from}");
        if let Err(fault) = offered {
            assert_eq!(fault, ListError::TailMismatch, "from {from}");
        }
    }
}

#[test]
fn a_suffix_at_a_wrong_offset_asks_for_the_whole() {
    let all = entries(6);
    let (old, new) = (tail(&all[..4]), tail(&all));
    let current = read(&message(&head(1, &old, vec![]), &old, 0), None, &[]).unwrap();
    let suffix = message(&head(2, &new, vec![]), &new, 36);
    for from in [1, 9, 27, 35, 37, 45, 54, 1 << 20, u64::MAX] {
        let mut moved = suffix.clone();
        moved.from = from;
        let fault = read(&moved, Some(&current), &[]).unwrap_err();
        assert_eq!(fault, ListError::TailMismatch, "from {from}");
    }
    let fault = read(&suffix, None, &[]).unwrap_err();
    assert_eq!(fault, ListError::TailMismatch, "nothing to go on from");
    let mut overlong = suffix;
    overlong.tail = vec![0; MAX_TAIL_BYTES];
    let fault = read(&overlong, Some(&current), &[]).unwrap_err();
    assert_eq!(
        fault,
        ListError::TailMismatch,
        "too long from here, maybe not from 0"
    );
}

#[test]
fn refuses_a_segment_that_the_head_did_not_sign() {
    let (named, good) = segment(&entries(40));
    let (other, foreign) = segment(&entries(41));
    let offer = |fetched: &[(SegmentRef, Vec<u8>)]| {
        let head = head(1, &Tail::new(), vec![named.clone()]);
        read(&message(&head, &Tail::new(), 0), None, fetched).map(|_| ())
    };
    assert_eq!(offer(&[(named.clone(), good.clone())]), Ok(()));
    assert_eq!(offer(&[]), Err(ListError::SegmentMissing));
    let swapped = offer(&[(named.clone(), foreign.clone())]);
    assert_eq!(swapped, Err(ListError::SegmentMismatch));
    assert_eq!(offer(&[(other, foreign)]), Err(ListError::SegmentMissing));
    for cut in [0, 1, 24, good.len() - 1] {
        let cut = offer(&[(named.clone(), good[..cut].to_vec())]);
        assert_eq!(cut, Err(ListError::SegmentMismatch));
    }
    let mut flipped = good;
    flipped[60] ^= 1;
    assert_eq!(
        offer(&[(named.clone(), flipped)]),
        Err(ListError::SegmentMismatch)
    );
}

/// A host's engine for SHA-256 that gives what it was made with.
struct Gives(Result<[u8; 32], DigestFailed>);

impl Digester for Gives {
    async fn sha256(&self, _bytes: &[u8]) -> Result<[u8; 32], DigestFailed> {
        self.0
    }
}

#[test]
fn takes_a_segment_by_the_hosts_digest_and_only_by_the_right_one() {
    let (named, bytes) = segment(&entries(40));
    let right: [u8; 32] = Sha256::digest(&bytes).into();
    let check = |digest| {
        let digester = Gives(digest);
        let check = CheckedSegment::check_with(&named, bytes.clone(), &digester);
        verify_now(check).map(|_| ())
    };
    assert_eq!(check(Ok(right)), Ok(()));
    assert_eq!(check(Ok([0; 32])), Err(ListError::SegmentMismatch));
    assert_eq!(check(Err(DigestFailed)), Err(ListError::EngineFailed));
}

#[test]
fn refuses_a_segment_of_another_count_than_the_head_says() {
    let (named, bytes) = segment(&entries(40));
    for count in [0, 39, 1_000_000_000, u64::MAX] {
        let claims = SegmentRef {
            count,
            ..named.clone()
        };
        let head = head(1, &Tail::new(), vec![claims.clone()]);
        let fetched = [(claims, bytes.clone())];
        let fault = read(&message(&head, &Tail::new(), 0), None, &fetched).unwrap_err();
        assert_eq!(fault, ListError::SegmentMismatch, "{count}");
    }
}

/// The header claims what the bytes cannot hold: refused by arithmetic, before anything is
/// allocated for it.
#[test]
fn refuses_a_segment_that_claims_a_billion_entries() {
    let (_, good) = segment(&entries(40));
    let (names, cut_offs, time_bytes) = (4, 8, 12);
    for (place, claim) in [
        (names, 1_000_000_000_u32),
        (names, u32::MAX),
        (names, u32::MAX / 7),
        (cut_offs, 1_000_000_000),
        (cut_offs, u32::MAX),
        (time_bytes, 9),
        (time_bytes, 1 << 29),
        (time_bytes, u32::MAX),
    ] {
        let mut bytes = good.clone();
        bytes[place..place + 4].copy_from_slice(&claim.to_le_bytes());
        let fault = Segment::parse(bytes).unwrap_err();
        assert_eq!(fault, ListError::SegmentMalformed, "{claim} at {place}");
    }
}

#[test]
fn refuses_a_segment_whose_offsets_overlap_or_run_out() {
    let (_, good) = segment(&entries(400));
    let first_offset = 24;
    for (offset, value) in [
        (0, 1_u32),
        (1, 0x7fff_ffff),
        (1, u32::MAX),
        (2, 0),
        (16, 0),
        (16, 401),
    ] {
        let mut bytes = good.clone();
        let place = first_offset + offset * 4;
        bytes[place..place + 4].copy_from_slice(&value.to_le_bytes());
        let parsed = Segment::parse(bytes);
        assert_eq!(
            parsed.unwrap_err(),
            ListError::SegmentMalformed,
            "{value} at {offset}"
        );
    }
}

#[test]
fn an_engine_that_fails_is_no_verdict() {
    struct Broken;
    impl SignatureVerifier for Broken {
        async fn verify(&self, _: &SignatureCheck<'_>) -> Result<(), SignatureError> {
            Err(SignatureError::EngineFailed)
        }
    }
    let message = message(&head(1, &Tail::new(), vec![]), &Tail::new(), 0);
    let verified = verify_now(RevocationList::verify(&message, &pins(), &Broken, now()));
    assert_eq!(verified.unwrap_err(), ListError::EngineFailed);
}

#[test]
fn every_reason_to_refuse_a_list_is_met_here() {
    let tests = include_str!("list.rs");
    for reason in ListError::ALL {
        assert!(
            tests.contains(&format!("ListError::{reason:?}")),
            "{reason:?}"
        );
    }
}

/// (r, n − s) is another text of the same token: whoever names revocations by text misses it.
#[test]
fn a_negated_signature_is_revoked_with_its_token() {
    let mut statuses = Vec::new();
    for id in ["every-algorithm/es256", "ecdsa-negation/es256"] {
        let case = find_case(id);
        let keys = shared::KeySet::from_value(&case["keys"]).unwrap();
        let token = UnverifiedToken::parse(case["token"].as_str().unwrap()).unwrap();
        let signed = verify_now(token.verify_signature(&keys, &NativeVerifier)).unwrap();
        let jti = TokenId::parse("kD2y0pRfT7mQnB4vXwZ1sA").unwrap();
        let revoked = tail(&[Entry::token(ISSUER, &jti)]);
        let message = message(&head(1, &revoked, vec![]), &revoked, 0);
        let list = read(&message, None, &[]).unwrap();
        let policy = list.issuer(ISSUER).unwrap().policy.clone();
        let valid = signed.validate(&policy, now()).unwrap();
        statuses.push(list.status(&valid));
    }
    assert_eq!(statuses, [RevocationStatus::TokenRevoked; 2]);
}

/// Keys of other kinds may sign lists too; what counts is that they are pinned.
#[test]
fn takes_a_list_by_any_pinned_key() {
    let key = include_bytes!("../../tests/corpus/keys/p256.pem");
    let key = EncodingKey::from_ec_pem(key).unwrap();
    let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
    let header = json!({"alg": "ES256", "typ": HEAD_TYP}).to_string();
    let payload = head(1, &Tail::new(), vec![]).to_json();
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::ES256).unwrap();
    let message = ListMessage {
        head: format!("{input}.{signature}"),
        from: 0,
        tail: Vec::new(),
    };
    let mut pins = pins();
    pins.keys = shared::KeySet::from_value(&json!({ "keys": [jwk] })).unwrap();
    let verified = verify_now(RevocationList::verify(
        &message,
        &pins,
        &NativeVerifier,
        now(),
    ));
    assert_eq!(verified.unwrap().head().ver, 1);
}

#[test]
fn a_cut_off_in_the_tail_and_one_in_a_segment_combine_by_max() {
    let user = |secs| Entry {
        before: Before::Time(UnixSeconds::from_secs(secs)),
        ..entry(1)
    };
    for (sealed, fresh) in [(100, 200), (200, 100)] {
        let (named, bytes) = segment(&[user(sealed)]);
        let tail = tail(&[user(fresh)]);
        let message = message(&head(1, &tail, vec![named.clone()]), &tail, 0);
        let list = read(&message, None, &[(named, bytes)]).unwrap();
        let latest = Some(Before::Time(UnixSeconds::from_secs(200)));
        assert_eq!(list.find(entry(1).fingerprint), latest);
    }
}

/// Whichever of many segments holds a name, it is found there, and where two do, the later cut-off counts.
#[test]
fn a_name_is_found_in_whichever_of_many_segments_holds_it() {
    let cut_off = |name: u64, secs| Entry {
        before: Before::Time(UnixSeconds::from_secs(secs)),
        ..entry(name)
    };
    let shared_name = 1 << 40;
    let segments: Vec<_> = (0..20_u64)
        .map(|number| {
            let own = number * 100;
            let mut entries: Vec<Entry> = (own..own + 30).map(entry).collect();
            entries.push(cut_off(own + 30, 500 + number));
            // The latest is in neither the first nor the last.
            entries.push(cut_off(
                shared_name,
                if number == 12 { 900 } else { number },
            ));
            segment(&entries)
        })
        .collect();
    let named = segments.iter().map(|(named, _)| named.clone()).collect();
    let message = message(&head(1, &Tail::new(), named), &Tail::new(), 0);
    let list = read(&message, None, &segments).unwrap();
    let find = |name: u64| list.find(entry(name).fingerprint);
    let time = |secs| Some(Before::Time(UnixSeconds::from_secs(secs)));
    for number in 0..20 {
        let own = number * 100;
        for name in own..own + 30 {
            assert_eq!(find(name), Some(Before::Always), "{name}");
        }
        assert_eq!(find(own + 30), time(500 + number));
        assert_eq!(find(own + 31), None);
    }
    assert_eq!(find(shared_name), time(900));
}
