//! Examples of the RFCs, each with its section.

use shared::KeyError::{CurveRefused, Private, Symmetric};
use shared::TokenError::{
    AlgorithmRefused, EmptySignature, NoUsableKey, SignatureInvalid, TypMissing,
};

use crate::case::Sheet;
use crate::cases::Cases;
use crate::forge::Forge;
use crate::members::Members;
use crate::test_key::{ED25519, RS256};

pub(super) fn cases(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("rfc-examples", ED25519)?;
    signed(&mut sheet, forge)?;
    never(&mut sheet, forge)?;
    rfc9068(&mut sheet, forge)?;
    Ok(sheet.into_cases())
}

fn signed(sheet: &mut Sheet, forge: &Forge) -> anyhow::Result<()> {
    for (name, section) in [
        ("rfc7515_a2", "RFC 7515, appendix A.2: RS256"),
        ("rfc7515_a3", "RFC 7515, appendix A.3: ES256"),
        ("rfc8037_a4", "RFC 8037, appendix A.4: Ed25519"),
    ] {
        let given = forge.given.get(name)?;
        sheet
            .accept(name, section, given.token.clone())
            .keys(&[given.jwk()])?
            .up_to_the_signature();
        let private = given.jwk().with("d", "AAAA");
        sheet
            .refuse(
                &format!("{name}-with-private-member"),
                NoUsableKey,
                &format!("{section}, its key with `d`"),
                given.token.clone(),
            )
            .keys(&[private])?
            .leaving_out(&[Private])
            .up_to_the_signature();
        let (input, _) = given.token.rsplit_once('.').unwrap_or_default();
        let zeros = if name == "rfc7515_a2" {
            [9; 256].to_vec()
        } else {
            [9; 64].to_vec()
        };
        let forged = format!("{input}.{}", crate::forge::encode(zeros));
        sheet
            .refuse(
                &format!("{name}-other-signature"),
                SignatureInvalid,
                &format!("{section}, another signature"),
                forged,
            )
            .keys(&[given.jwk()])?
            .up_to_the_signature();
    }
    let a2 = forge.given.get("rfc7515_a2")?;
    sheet
        .refuse(
            "rfc7515_a2-as-an-access-token",
            TypMissing,
            "RFC 7515, appendix A.2: a JWS is no access token",
            a2.token.clone(),
        )
        .keys(&[a2.jwk()])?;
    Ok(())
}

fn never(sheet: &mut Sheet, forge: &Forge) -> anyhow::Result<()> {
    for (name, section, reason, left_out) in [
        (
            "rfc7515_a1",
            "RFC 7515, appendix A.1: HS256",
            AlgorithmRefused,
            &[Symmetric][..],
        ),
        (
            "rfc7515_a4",
            "RFC 7515, appendix A.4: ES512",
            AlgorithmRefused,
            &[CurveRefused],
        ),
        (
            "rfc7515_a5",
            "RFC 7515, appendix A.5: unsecured",
            EmptySignature,
            &[],
        ),
    ] {
        let given = forge.given.get(name)?;
        sheet
            .refuse(name, reason, section, given.token.clone())
            .keys(&[given.jwk()])?
            .leaving_out(left_out)
            .up_to_the_signature();
    }
    Ok(())
}

/// The claims of RFC 9068, section 3, figure 3, at the time of this corpus.
fn rfc9068(sheet: &mut Sheet, forge: &mut Forge) -> anyhow::Result<()> {
    let header = Members::new()
        .with("typ", "at+JWT")
        .with("alg", "RS256")
        .with("kid", "rs256");
    let payload = Members::new()
        .with("iss", "https://authorization-server.example.com/")
        .with("sub", "5ba552d67")
        .with("aud", "https://rs.example.com/")
        .with("exp", 1_800_000_300)
        .with("iat", 1_799_999_700)
        .with("jti", "dbe39bf3a3ba4238a513f51d6e1691c4")
        .with("client_id", "s6BhdRkqt3")
        .with("scope", "openid profile reademail");
    let token = forge.sign(&RS256, header.text(), payload.text())?;
    sheet
        .accept(
            "rfc9068-3",
            "RFC 9068, section 3: the header and claims of its example",
            token,
        )
        .signed_by_one_of(&[RS256])?
        .policy(|policy| {
            "https://authorization-server.example.com/".clone_into(&mut policy.issuer);
            "https://rs.example.com/".clone_into(&mut policy.audience);
        });
    Ok(())
}
