//! Dates (NumericDate of RFC 7519, section 2): what is one, and when a token is good.

use shared::TokenError::{
    self, Expired, ExpiresBeforeIssued, ExpiryInvalid, IssuedAtInvalid, IssuedInTheFuture,
    LifetimeTooLong, NotBeforeInvalid, NotYetValid, PayloadJson,
};

use crate::case::Sheet;
use crate::cases::{Cases, join};
use crate::forge::{Draft, EXP, Forge, IAT, NOW};
use crate::test_key::ED25519;

/// The leeway of the policies here.
const LEEWAY: u64 = 30;

pub(super) fn cases(forge: &mut Forge) -> Cases {
    join([
        time_claims(forge),
        expiry(forge),
        not_before(forge),
        issued_at(forge),
        lifetime(forge),
    ])
}

fn with_raw(forge: &mut Forge, name: &str, text: &str) -> anyhow::Result<String> {
    forge.forge(&Draft::good().payload(|payload| payload.with_raw(name, text)))
}

/// What is no date, under each of the three names.
fn time_claims(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("time-claims", ED25519)?;
    for (claim, invalid) in [
        ("exp", ExpiryInvalid),
        ("iat", IssuedAtInvalid),
        ("nbf", NotBeforeInvalid),
    ] {
        for text in [
            "\"1800000000\"",
            "null",
            "true",
            "[1800000000]",
            "{}",
            "\"\"",
            "-1",
            "-0.001",
            "-1e300",
            "\"NaN\"",
            "\"Infinity\"",
        ] {
            let token = with_raw(forge, claim, text)?;
            sheet.refuse(&format!("{claim}-{text}"), invalid, "no NumericDate", token);
        }
        for text in [
            "NaN",
            "Infinity",
            "-Infinity",
            "1e400",
            "-1e400",
            "0x6b49d200",
            "01800000000",
            "1800000000.",
            ".5",
            "1_800_000_000",
            "+1800000000",
        ] {
            let token = with_raw(forge, claim, text)?;
            sheet.refuse(
                &format!("{claim}-{text}"),
                PayloadJson,
                "no JSON number",
                token,
            );
        }
    }
    for (name, exp, reason) in [
        ("exp-in-milliseconds", "1800000300000", LifetimeTooLong),
        (
            "exp-2-to-the-53-plus-1",
            "9007199254740993",
            LifetimeTooLong,
        ),
        ("exp-2-to-the-64", "18446744073709551616", LifetimeTooLong),
        ("exp-1e308", "1e308", LifetimeTooLong),
        ("exp-zero", "0", ExpiresBeforeIssued),
        ("exp-minus-zero", "-0", ExpiresBeforeIssued),
        ("exp-tiny", "5e-324", ExpiresBeforeIssued),
    ] {
        let token = with_raw(forge, "exp", exp)?;
        sheet.refuse(
            name,
            reason,
            "a number far from any date of this token",
            token,
        );
    }
    let token = with_raw(forge, "iat", "1799999700000")?;
    sheet.refuse(
        "iat-in-milliseconds",
        ExpiresBeforeIssued,
        "`iat` in milliseconds",
        token,
    );
    for (name, claim, text) in [
        ("exp-fractional", "exp", "1800000300.75"),
        ("exp-exponent", "exp", "1.8000003e9"),
        ("exp-with-a-zero-fraction", "exp", "1800000300.000"),
        ("iat-fractional", "iat", "1799999700.123456789"),
        ("nbf-zero", "nbf", "0"),
        ("nbf-minus-zero", "nbf", "-0"),
        ("nbf-tiny", "nbf", "1e-400"),
    ] {
        let token = with_raw(forge, claim, text)?;
        sheet.accept(name, "a JSON number that is a date", token);
    }
    Ok(sheet.into_cases())
}

/// Refused on or after `exp + leeway`.
fn expiry(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("expiry", ED25519)?;
    let token = forge.good(ED25519)?;
    let end = (EXP + LEEWAY) * 1000;
    sheet
        .accept(
            "a-moment-before",
            "a millisecond before `exp` and leeway",
            token.clone(),
        )
        .at_millis(end - 1);
    sheet
        .refuse(
            "at-the-moment",
            Expired,
            "`now` is `exp` and leeway",
            token.clone(),
        )
        .at_millis(end);
    sheet
        .refuse("after", Expired, "a second later", token.clone())
        .at_millis(end + 1000);
    sheet
        .accept(
            "at-exp-with-leeway",
            "`now` is `exp`, and clocks may differ",
            token.clone(),
        )
        .at_millis(EXP * 1000);
    sheet
        .refuse(
            "at-exp-without-leeway",
            Expired,
            "`now` is `exp`, and clocks may not differ",
            token.clone(),
        )
        .at_millis(EXP * 1000)
        .policy(|policy| policy.leeway_secs = 0);
    sheet
        .accept("before-exp-without-leeway", "a millisecond before", token)
        .at_millis(EXP * 1000 - 1)
        .policy(|policy| policy.leeway_secs = 0);
    let fractional = with_raw(forge, "exp", "1800000300.5")?;
    sheet
        .accept(
            "before-a-fraction",
            "the fraction counts",
            fractional.clone(),
        )
        .at_millis(1_800_000_300_400)
        .policy(|policy| policy.leeway_secs = 0);
    sheet
        .refuse("at-a-fraction", Expired, "the fraction counts", fractional)
        .at_millis(1_800_000_300_500)
        .policy(|policy| policy.leeway_secs = 0);
    Ok(sheet.into_cases())
}

fn not_before(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("not-before", ED25519)?;
    for (name, nbf, reason) in [
        ("past", NOW - 1, None),
        ("now", NOW, None),
        ("within-leeway", NOW + LEEWAY, None),
        ("past-leeway", NOW + LEEWAY + 1, Some(NotYetValid)),
        ("after-exp", EXP + 100, Some(NotYetValid)),
    ] {
        let token = forge.forge(&Draft::good().claim("nbf", nbf))?;
        judge(
            &mut sheet,
            name,
            "`nbf` against `now` and leeway",
            token,
            reason,
        );
    }
    Ok(sheet.into_cases())
}

fn issued_at(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("issued-at", ED25519)?;
    for (name, iat, exp, reason) in [
        ("now", NOW, EXP, None),
        ("within-leeway", NOW + LEEWAY, EXP, None),
        (
            "past-leeway",
            NOW + LEEWAY + 1,
            EXP,
            Some(IssuedInTheFuture),
        ),
        ("exp-at-iat", IAT, IAT, Some(Expired)),
        ("exp-at-iat-within-leeway", NOW, NOW, None),
        ("exp-before-iat", NOW, NOW - 1, Some(ExpiresBeforeIssued)),
    ] {
        let token = forge.forge(&Draft::good().claim("iat", iat).claim("exp", exp))?;
        judge(
            &mut sheet,
            name,
            "`iat` against `now`, leeway and `exp`",
            token,
            reason,
        );
    }
    Ok(sheet.into_cases())
}

fn lifetime(forge: &mut Forge) -> Cases {
    let mut sheet = Sheet::new("lifetime", ED25519)?;
    for (name, exp, reason) in [
        ("as-long-as-allowed", (IAT + 3600).to_string(), None),
        (
            "a-second-longer",
            (IAT + 3601).to_string(),
            Some(LifetimeTooLong),
        ),
        (
            "a-fraction-longer",
            format!("{}.5", IAT + 3600),
            Some(LifetimeTooLong),
        ),
        (
            "ten-years",
            (IAT + 315_360_000).to_string(),
            Some(LifetimeTooLong),
        ),
    ] {
        let token = with_raw(forge, "exp", &exp)?;
        judge(
            &mut sheet,
            name,
            "`exp − iat` against the longest lifetime",
            token,
            reason,
        );
    }
    Ok(sheet.into_cases())
}

fn judge(sheet: &mut Sheet, name: &str, why: &str, token: String, reason: Option<TokenError>) {
    match reason {
        Some(reason) => sheet.refuse(name, reason, why, token),
        None => sheet.accept(name, why, token),
    };
}
