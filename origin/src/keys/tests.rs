//! Keys on disk and from configuration, and what they sign, judged by the verifier of `shared`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Barrier;

use clap::Parser;
use serde_json::json;
use shared::{Algorithm, KeySet, NativeVerifier, UnverifiedToken, verify_now};

use super::{HeldKeys, KeyFileError, KeysError, SigningKey, SigningKeyError, key_file};

const ISSUING: [Algorithm; 3] = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256];

/// `openssl genpkey -algorithm ed25519`: PKCS#8 without the public half.
const OPENSSL_ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
";
/// The public half of the same key, and its thumbprint: RFC 8037, appendix A.2 and A.3.
const RFC_8037_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const RFC_8037_THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_each_algorithm_signs_verifies_by_its_public_half() {
    for algorithm in ISSUING {
        let (key, _) = SigningKey::generate(algorithm).unwrap();
        let jws = key.sign("at+jwt", r#"{"iss":"a"}"#).unwrap();
        let keys = KeySet::from_value(&json!({ "keys": [key.public_jwk()] })).unwrap();
        assert_eq!(keys.refused().len(), 0, "{algorithm:?}");
        let token = UnverifiedToken::parse(&jws).unwrap();
        let signed = verify_now(token.verify_signature(&keys, &NativeVerifier)).unwrap();
        assert_eq!(signed.payload(), br#"{"iss":"a"}"#);
        assert_eq!(signed.typ(), Some("at+jwt"));
        assert_eq!(signed.kid().map(ToString::to_string), Some(key.kid.clone()));
        assert_eq!(signed.algorithm(), algorithm);
    }
}

#[test]
fn a_key_made_by_openssl_has_the_name_that_the_rfc_gives_it() {
    let key = SigningKey::from_pem(Algorithm::EdDsa, OPENSSL_ED25519).unwrap();
    assert_eq!(key.public_jwk()["x"], RFC_8037_X);
    assert_eq!(key.kid, RFC_8037_THUMBPRINT);
}

#[test]
fn a_key_is_the_same_after_a_round_trip_through_its_file() {
    for algorithm in ISSUING {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("made/on/the/way/key.pem");
        let first = key_file::load_or_create(algorithm, &file).unwrap();
        let second = key_file::load_or_create(algorithm, &file).unwrap();
        assert_eq!(first.kid, second.kid);
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(file.parent().unwrap()), 0o700);
    }
}

#[test]
fn a_key_file_that_others_may_write_is_refused_and_one_that_they_may_read_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    key_file::load_or_create(Algorithm::EdDsa, &file).unwrap();
    for (mode, is_taken) in [
        (0o600, true),
        (0o440, true),
        (0o644, true),
        (0o660, false),
        (0o602, false),
    ] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let loaded = key_file::load_or_create(Algorithm::EdDsa, &file);
        assert_eq!(loaded.is_ok(), is_taken, "{mode:o}: {loaded:?}");
        if let Err(refused) = loaded {
            assert_eq!(refused.code(), "key_file_writable_by_others");
            assert!(refused.to_string().contains("chmod 600 "), "{refused}");
        }
    }
}

#[test]
fn those_who_start_together_end_with_one_key() {
    const STARTERS: usize = 8;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    let line = Barrier::new(STARTERS);
    let start = || {
        line.wait();
        key_file::load_or_create(Algorithm::EdDsa, &file)
            .unwrap()
            .kid
    };
    let kids: Vec<String> = std::thread::scope(|scope| {
        let starters: Vec<_> = (0..STARTERS).map(|_| scope.spawn(start)).collect();
        starters
            .into_iter()
            .map(|starter| starter.join().unwrap())
            .collect()
    });
    assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is left lying about"
    );
}

#[test]
fn a_key_of_another_algorithm_is_refused() {
    for (made, asked) in [
        (Algorithm::EdDsa, Algorithm::Es256),
        (Algorithm::Es256, Algorithm::Rs256),
        (Algorithm::Rs256, Algorithm::EdDsa),
    ] {
        let (_, pem) = SigningKey::generate(made).unwrap();
        let refused = SigningKey::from_pem(asked, &pem).unwrap_err();
        assert_eq!(refused, SigningKeyError::Rejected, "{made:?} as {asked:?}");
    }
}

#[test]
fn what_is_no_private_key_is_refused() {
    let public = OPENSSL_ED25519.replace("PRIVATE", "PUBLIC");
    let cut = OPENSSL_ED25519.replace("GXA7rAMcrn9g", "");
    for (text, reason) in [
        ("", SigningKeyError::NotPem),
        ("a password", SigningKeyError::NotPem),
        (&public, SigningKeyError::NotPem),
        (&cut, SigningKeyError::Rejected),
    ] {
        assert_eq!(
            SigningKey::from_pem(Algorithm::EdDsa, text).unwrap_err(),
            reason,
            "{text}"
        );
    }
}

#[test]
fn a_damaged_key_file_is_an_error_and_not_a_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    fs::write(&file, "half a key").unwrap();
    let refused = key_file::load_or_create(Algorithm::EdDsa, &file).unwrap_err();
    assert!(matches!(refused, KeyFileError::BadKey { .. }));
    assert_eq!(fs::read_to_string(&file).unwrap(), "half a key");
}

#[test]
fn a_private_key_is_not_shown_by_debug() {
    let key = SigningKey::from_pem(Algorithm::EdDsa, OPENSSL_ED25519).unwrap();
    assert_eq!(
        format!("{key:?}"),
        format!("SigningKey {{ kid: {:?}, algorithm: EdDsa, .. }}", key.kid)
    );
}

#[test]
fn a_setting_holds_the_older_keys_and_the_newest() {
    let (old, old_pem) = SigningKey::generate(Algorithm::Rs256).unwrap();
    let (new, new_pem) = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let held = held(&format!("{old_pem}\n{new_pem}")).unwrap();
    let kids: Vec<_> = held.all().iter().map(|key| key.kid.clone()).collect();
    assert_eq!(kids, [old.kid, new.kid]);
    assert_eq!(
        held.make(Algorithm::EdDsa)
            .unwrap()
            .map(|key| key.kid.clone()),
        None
    );
}

#[test]
fn the_newest_key_of_a_setting_has_the_configured_algorithm() {
    let (_, es256) = SigningKey::generate(Algorithm::Es256).unwrap();
    for bad in [
        es256.clone(),
        format!("{OPENSSL_ED25519}{es256}"),
        "x".to_owned(),
        String::new(),
    ] {
        assert_eq!(held(&bad).unwrap_err().code(), "bad_key_setting", "{bad}");
    }
    assert!(held(&format!("{es256}{OPENSSL_ED25519}")).is_ok());
}

fn held(pem: &str) -> Result<HeldKeys, KeysError> {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        settings: crate::config::Settings,
    }
    let line = Line::parse_from(["portcullis", &format!("--signing-key={pem}")]);
    HeldKeys::load_or_create(&line.settings.validate().unwrap())
}
