//! What kind of token: another kind, good in its own place, is no access token.

use shared::TokenError::{AudienceMissing, SignatureInvalid, TypMismatch, TypMissing, UnknownKey};

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Draft, Forge, IAT, NOW};
use crate::members::Members;
use crate::test_key::{ED25519, LIST};

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([
        typ_confusion(forge),
        media_type(forge),
        list_as_token(forge),
    ])
}

fn typ_confusion(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("typ-confusion", ED25519)?;
    for typ in [
        "JWT",
        "rt+jwt",
        "id_token+jwt",
        "logout+jwt",
        "secevent+jwt",
        "statuslist+jwt",
        "dpop+jwt",
        "token-introspection+jwt",
        "revocation-list+jwt",
        "at",
        "",
    ] {
        let token = forge.forge(&Draft::good().head("typ", typ))?;
        sheet.refuse(
            &format!("{typ:?}"),
            TypMismatch,
            "a token of another kind",
            token,
        );
    }
    let token = forge.forge(&Draft::good().header(|header| header.without("typ")))?;
    sheet.refuse(
        "missing",
        TypMissing,
        "no `typ`: an ID token, or anything",
        token,
    );
    Ok(sheet.into_cases())
}

/// RFC 7515, section 4.1.9.
fn media_type(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("typ-as-media-type", ED25519)?;
    for typ in [
        "at+jwt",
        "AT+JWT",
        "At+Jwt",
        "application/at+jwt",
        "Application/AT+JWT",
    ] {
        let token = forge.forge(&Draft::good().head("typ", typ))?;
        sheet.accept(typ, "one media type in another spelling", token.clone());
        sheet
            .accept(
                &format!("{typ}-of-a-policy-with-prefix"),
                "the policy spells it with its prefix",
                token,
            )
            .policy(|policy| "application/at+jwt".clone_into(&mut policy.typ));
    }
    for typ in [
        "at+jwt;v=1",
        "at+jwt; charset=utf-8",
        "application/application/at+jwt",
        "application/",
        "text/at+jwt",
        "/at+jwt",
        "at+jwt ",
        " at+jwt",
        "at+jwt\u{0}",
        "at\u{ff0b}jwt",
        "xat+jwt",
        "at+jwtx",
    ] {
        let token = forge.forge(&Draft::good().head("typ", typ))?;
        sheet.refuse(
            &format!("{typ:?}"),
            TypMismatch,
            "another media type",
            token,
        );
    }
    Ok(sheet.into_cases())
}

/// A revocation list given as a token, whoever signed it.
fn list_as_token(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("list-as-token", ED25519)?;
    let list = |key| {
        let mut draft = Draft::of(key).head("typ", "revocation-list+jwt");
        draft.payload = Members::new()
            .with("iss", "https://issuer.example")
            .with("iat", IAT)
            .with("exp", NOW + 180)
            .with("ver", NOW * 1000)
            .with_raw("issuers", "[]")
            .with_raw(
                "tail",
                "{\"sha256\":\"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\",\"count\":0}",
            );
        draft
    };
    let by_list_key = forge.forge(&list(LIST))?;
    sheet.refuse(
        "by-the-list-key",
        UnknownKey,
        "a list, signed by the list key",
        by_list_key.clone(),
    );
    sheet
        .refuse(
            "by-a-list-key-in-the-set",
            TypMismatch,
            "a list, and its key is in the set by mistake",
            by_list_key,
        )
        .signed_by_one_of(&[ED25519, LIST])?;
    let by_token_key = forge.forge(&list(ED25519))?;
    sheet.refuse(
        "by-the-token-key",
        TypMismatch,
        "a list, signed by a token key",
        by_token_key,
    );
    let renamed = forge.forge(&list(LIST).head("kid", "ed"))?;
    sheet.refuse(
        "under-the-token-kid",
        SignatureInvalid,
        "a list under the token key's name",
        renamed,
    );
    let disguised = forge.forge(&list(ED25519).head("typ", "at+jwt"))?;
    sheet.refuse(
        "in-disguise",
        AudienceMissing,
        "a list's payload under a token's `typ`",
        disguised,
    );
    Ok(sheet.into_cases())
}
