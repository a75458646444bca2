//! Any bytes as a list message, and as what its head may hold once it is signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::{
    HEAD_TYP, ListMessage, ListPins, NativeVerifier, RevocationList, Tail, UnixSeconds, verify_now,
};
use shared_fuzz::{ISSUER, KEYS, NOW, sign, split};

fuzz_target!(|input: &[u8]| {
    if let Ok(message) = ListMessage::parse(input) {
        assert_eq!(
            ListMessage::parse(message.to_json().as_bytes()),
            Ok(message.clone())
        );
        read(&message);
    }
    if let Ok(tail) = Tail::parse(input) {
        assert_eq!(tail.entries().count() as u64, tail.count());
        let mut again = Tail::new();
        tail.entries().for_each(|entry| again.push(entry));
        assert_eq!(
            Tail::parse(again.as_bytes()).map(|tail| tail.count()),
            Ok(tail.count())
        );
    }
    if let Some((payload, tail)) = split(input) {
        let header = format!(r#"{{"alg":"EdDSA","typ":"{HEAD_TYP}","kid":"ed"}}"#);
        let head = sign(header.as_bytes(), payload);
        read(&ListMessage {
            head,
            from: 0,
            tail: tail.to_vec(),
        });
    }
});

fn read(message: &ListMessage) {
    let pins = ListPins {
        issuer: ISSUER.to_owned(),
        keys: KEYS.clone(),
    };
    let now = UnixSeconds::from_secs(NOW);
    let verified = verify_now(RevocationList::verify(message, &pins, &NativeVerifier, now));
    let Ok(verified) = verified else {
        return;
    };
    assert_eq!(verified.head().iss, ISSUER);
    if let Ok(list) = verified.build(None, vec![]) {
        assert_eq!(list.entry_count(), list.head().tail.count);
    }
}
