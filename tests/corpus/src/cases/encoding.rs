//! One token has one spelling: whoever could write it in another way could get past a list of
//! texts, a cache, or a filter.

use shared::TokenError::{
    HeaderEncoding, HeaderJson, IllegalCharacter, PayloadEncoding, SignatureEncoding,
    SignatureInvalid, SignatureLength,
};

use crate::case::Sheet;
use crate::cases::Cases;
use crate::forge::{Draft, Forge, encode, signing_input};
use crate::test_key::{ED25519, RS256, TestKey};

pub(super) fn cases(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("base64url-spelling", ED25519)?;
    foreign_characters(&mut sheet, &forge.good(ED25519)?);
    signed_in_another_alphabet(&mut sheet, forge)?;
    trailing_bits(&mut sheet, forge, ED25519)?;
    trailing_bits(&mut sheet, forge, RS256)?;
    cut_and_grown(&mut sheet, &forge.good(ED25519)?);
    Ok(sheet.into_cases())
}

/// Characters outside the alphabet, in each part of a good token.
fn foreign_characters(sheet: &mut Sheet, good: &str) {
    for stray in [
        "=", "==", "+", "/", " ", "\n", "\r\n", "\t", "!!!!", "%3D", "\u{0}", "\u{e9}", "\u{ff0e}",
        ",",
    ] {
        let places = [
            ("before", format!("{stray}{good}")),
            ("in-header", good.replacen('.', &format!("{stray}."), 1)),
            ("in-payload", good.replacen('.', &format!(".{stray}"), 1)),
            ("after", format!("{good}{stray}")),
        ];
        for (place, token) in places {
            sheet.refuse(
                &format!("{stray:?}-{place}"),
                IllegalCharacter,
                "a character that base64url does not have",
                token,
            );
        }
    }
}

/// The signature covers the foreign spelling, so only the parser can refuse it.
fn signed_in_another_alphabet(sheet: &mut Sheet, forge: &mut Forge) -> anyhow::Result<()> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
    let draft = Draft::good().claim("sub", "??>>~~\u{ff}");
    let (header, payload) = (draft.header.text(), draft.payload.text());
    for (name, input) in [
        (
            "standard-alphabet",
            [
                STANDARD_NO_PAD.encode(&header),
                STANDARD_NO_PAD.encode(&payload),
            ],
        ),
        (
            "padded",
            [URL_SAFE.encode(&header), URL_SAFE.encode(&payload)],
        ),
        (
            "standard-and-padded",
            [STANDARD.encode(&header), STANDARD.encode(&payload)],
        ),
    ] {
        let input = input.join(".");
        let signature = encode(forge.signature(&ED25519, &input)?);
        sheet.refuse(
            name,
            IllegalCharacter,
            "signed in another base64",
            format!("{input}.{signature}"),
        );
    }
    sheet.accept(
        "same-in-base64url",
        "the same token as it must be spelled",
        forge.forge(&draft)?,
    );
    Ok(())
}

/// The unused bits of a part's last character are not zero. Those of header and payload are under
/// the signature, so they are signed as they stand.
fn trailing_bits(sheet: &mut Sheet, forge: &mut Forge, key: TestKey) -> anyhow::Result<()> {
    let draft = Draft::of(key);
    // JSON may end in white space: as much as leaves unused bits.
    let [header, payload] = [draft.header.text(), draft.payload.text()].map(|text| {
        let missing = usize::from(text.len() % 3 == 0);
        text + &" ".repeat(missing)
    });
    let [spelled_header, spelled_payload] = [encode(&header), encode(&payload)];
    for (name, input, reason) in [
        (
            "header",
            format!("{}.{spelled_payload}", next_spelling(&spelled_header)),
            HeaderEncoding,
        ),
        (
            "payload",
            format!("{spelled_header}.{}", next_spelling(&spelled_payload)),
            PayloadEncoding,
        ),
    ] {
        let signature = encode(forge.signature(&key, &input)?);
        sheet
            .refuse(
                &format!("{}-{name}-trailing-bits", key.kid),
                reason,
                "unused bits that are not zero, signed",
                format!("{input}.{signature}"),
            )
            .signed_by_one_of(&[key])?;
    }
    let input = signing_input(&header, &payload);
    let signature = encode(forge.signature(&key, &input)?);
    sheet
        .accept(
            &format!("{}-zero-trailing-bits", key.kid),
            "the same token with its bits at zero",
            format!("{input}.{signature}"),
        )
        .signed_by_one_of(&[key])?;
    sheet
        .refuse(
            &format!("{}-signature-trailing-bits", key.kid),
            SignatureEncoding,
            "unused bits of the signature that are not zero",
            format!("{input}.{}", next_spelling(&signature)),
        )
        .signed_by_one_of(&[key])?;
    Ok(())
}

/// Another text that a lax decoder takes for the same bytes.
fn next_spelling(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (start, last) = text.split_at(text.len() - 1);
    let value = ALPHABET
        .iter()
        .position(|character| last.as_bytes() == [*character]);
    let next = ALPHABET[value.unwrap_or_default() + 1];
    format!("{start}{}", char::from(next))
}

fn cut_and_grown(sheet: &mut Sheet, good: &str) {
    let cut = |characters: usize| good[..good.len() - characters].to_owned();
    sheet.refuse(
        "signature-cut-by-1",
        SignatureEncoding,
        "a last character that holds no whole byte",
        cut(1),
    );
    sheet.refuse(
        "signature-cut-by-2",
        SignatureLength,
        "a signature of 63 bytes",
        cut(2),
    );
    sheet.refuse(
        "signature-of-65-bytes",
        SignatureLength,
        "a zero byte after the signature",
        grown(good),
    );
    let (input, _) = good.rsplit_once('.').unwrap_or_default();
    let zeros = encode([0x11; 64]);
    sheet.refuse(
        "signature-of-noise",
        SignatureInvalid,
        "64 bytes that nobody signed",
        format!("{input}.{zeros}"),
    );
    let longer = good.replacen('.', "A.", 1);
    sheet.refuse(
        "header-and-a-zero-byte",
        HeaderJson,
        "a header part whose last character makes a byte after the object",
        longer,
    );
    let ragged = good.replacen('.', "AA.", 1);
    sheet.refuse(
        "header-of-1-mod-4-characters",
        HeaderEncoding,
        "a header part whose last character holds no whole byte",
        ragged,
    );
}

fn grown(good: &str) -> String {
    use base64::Engine as _;
    let (input, signature) = good.rsplit_once('.').unwrap_or_default();
    let mut bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(signature)
        .unwrap_or_default();
    bytes.push(0);
    format!("{input}.{}", encode(bytes))
}
