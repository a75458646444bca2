//! Key sets as documents: what they may hold beside good keys, and what is none.

use shared::KeyError::{PointInvalid, Private, Symmetric, TypeMissing, UseForbids};
use shared::KeySetError::{Malformed, TooManyKeys};
use shared::TokenError::UnknownKey;

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::Forge;
use crate::members::Members;
use crate::test_key::{ED25519, ES256, ES384, RS256};

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([
        legal_keys(forge),
        the_rest_works(forge),
        key_set_form(forge),
    ])
}

fn legal_keys(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("legal-keys", ED25519)?;
    for (name, member, text) in [
        ("unknown-member", "x-anything", "{\"a\":[1]}"),
        ("certificate", "x5c", "[\"MIIB\"]"),
        ("extractable", "ext", "true"),
        ("issued-at", "iat", "1700000000"),
    ] {
        let token = forge.good(ED25519)?;
        let key = ED25519.jwk()?.with_raw(member, text);
        sheet
            .accept(
                name,
                "a member of a key that is none of our business",
                token,
            )
            .keys(&[key])?;
    }
    let token = forge.good(ED25519)?;
    let document = format!(
        "{{\"keys\":[{}],\"updated\":[1,{{}}]}}",
        ED25519.jwk()?.text()
    );
    sheet
        .accept("unknown-member-of-the-set", "RFC 7517, section 5", token)
        .key_document(document)?;
    Ok(sheet.into_cases())
}

fn the_rest_works(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("the-rest-of-the-set", ED25519)?;
    let oct = Members::new()
        .with("kty", "oct")
        .with("k", "c2VjcmV0")
        .with("kid", "secret");
    let private = RS256.jwk()?.with("d", "AAAA");
    let off_curve = ES256.jwk()?.with("x", ES256.jwk_text("y")?);
    let for_encryption = ES384.jwk()?.with("use", "enc");
    let token = forge.good(ED25519)?;
    sheet
        .accept("five-keys", "four bad keys beside the good one", token)
        .keys(&[
            oct,
            private,
            ED25519.jwk()?,
            off_curve,
            for_encryption.clone(),
        ])?
        .leaving_out(&[Symmetric, Private, PointInvalid, UseForbids]);
    let token = forge.good(ES384)?;
    sheet
        .refuse(
            "the-bad-one-signed",
            UnknownKey,
            "a good token of the key that is left out",
            token,
        )
        .keys(&[ED25519.jwk()?, for_encryption])?
        .leaving_out(&[UseForbids]);
    Ok(sheet.into_cases())
}

fn key_set_form(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("key-set-form", ED25519)?;
    let key = ED25519.jwk()?.text();
    for (name, document) in [
        ("a-key-alone", key.clone()),
        ("an-array", format!("[{key}]")),
        ("null", "null".to_owned()),
        ("a-string", "\"\"".to_owned()),
        ("empty-object", "{}".to_owned()),
        ("keys-is-an-object", format!("{{\"keys\":{key}}}")),
        ("keys-is-null", "{\"keys\":null}".to_owned()),
        ("keys-twice", format!("{{\"keys\":[],\"keys\":[{key}]}}")),
        (
            "member-twice-in-a-key",
            format!("{{\"keys\":[{}]}}", ED25519.jwk()?.and("kid", "ed").text()),
        ),
    ] {
        let token = forge.good(ED25519)?;
        sheet
            .refuse_set(name, Malformed, "not a key set", token)
            .key_document(document)?;
    }
    let many = |count: usize| {
        let filler = std::iter::repeat_n("{}".to_owned(), count - 1);
        let keys: Vec<_> = filler.chain([key.clone()]).collect();
        format!("{{\"keys\":[{}]}}", keys.join(","))
    };
    let token = forge.good(ED25519)?;
    sheet
        .accept("100-keys", "the largest set", token.clone())
        .key_document(many(100))?
        .leaving_out(&[TypeMissing; 99]);
    sheet
        .refuse_set("101-keys", TooManyKeys, "a key more", token)
        .key_document(many(101))?;
    Ok(sheet.into_cases())
}
