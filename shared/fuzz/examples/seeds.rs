//! Writes seeds for every target from the corpus: `cargo run --example seeds`.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use shared::{Before, Entry, Fingerprint, ListMessage, Segment, Tail, UnixSeconds};
use shared_fuzz::{ISSUER, JWK, NOW, sign};

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["header", "form", "claims", "keys"] {
        let cases = fs::read_to_string(root.join(format!("../../tests/corpus/{file}.jsonl")))?;
        for (number, line) in cases.lines().enumerate() {
            let case: Value = serde_json::from_str(line)?;
            write_case(root, &format!("{file}-{number}"), &case)?;
        }
    }
    write_lists(root)
}

fn write(root: &Path, target: &str, name: &str, seed: &[u8]) -> std::io::Result<()> {
    let folder = root.join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), seed)
}

fn write_case(root: &Path, name: &str, case: &Value) -> std::io::Result<()> {
    let token = case["token"].as_str().unwrap_or_default();
    write(root, "token", name, token.as_bytes())?;
    write(root, "jwks", name, case["keys"].to_string().as_bytes())?;
    let parts: Vec<_> = token
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part))
        .collect();
    if let [Ok(header), Ok(payload), ..] = &parts[..] {
        write(root, "header", name, header)?;
        write(
            root,
            "differential",
            name,
            &[header, &b"\0"[..], payload].concat(),
        )?;
    }
    Ok(())
}

fn write_lists(root: &Path) -> std::io::Result<()> {
    for count in [0_u64, 1, 3, 40] {
        let entries: Vec<_> = (0..count).map(entry).collect();
        write(
            root,
            "segment",
            &format!("built-{count}"),
            &Segment::build(&entries),
        )?;
        let mut tail = Tail::new();
        entries.iter().for_each(|entry| tail.push(*entry));
        write(
            root,
            "list_message",
            &format!("tail-{count}"),
            tail.as_bytes(),
        )?;
        let payload = head(&tail).to_string();
        let signed = [payload.as_bytes(), b"\0", tail.as_bytes()].concat();
        write(root, "list_message", &format!("signed-{count}"), &signed)?;
        let header = br#"{"alg":"EdDSA","typ":"revocation-list+jwt","kid":"ed"}"#;
        let message = ListMessage {
            head: sign(header, payload.as_bytes()),
            from: 0,
            tail: tail.as_bytes().to_vec(),
        };
        write(
            root,
            "list_message",
            &format!("message-{count}"),
            message.to_json().as_bytes(),
        )?;
    }
    Ok(())
}

fn entry(number: u64) -> Entry {
    let before = match number % 3 {
        0 => Before::Time(UnixSeconds::from_secs(number + 128)),
        _ => Before::Always,
    };
    Entry {
        fingerprint: Fingerprint(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        before,
    }
}

fn head(tail: &Tail) -> Value {
    json!({
        "iss": ISSUER, "iat": NOW, "exp": NOW + 180, "ver": 1, "grace": 0, "segments": [],
        "issuers": [{"iss": ISSUER, "aud": "a", "typ": "at+jwt", "algs": ["EdDSA"], "max_lifetime": 3600, "keys": [*JWK]}],
        "tail": {"sha256": tail.sha256(), "count": tail.count()},
    })
}
