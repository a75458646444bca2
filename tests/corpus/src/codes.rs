//! The one list of codes, for readers: each reason with its sentence and a case that shows it.

use std::fmt::{Display, Write as _};

use shared::{IdError, KeyError, KeySetError, ListError, TokenError};

use crate::Corpus;

const OPENING: &str = "# Codes\n\n\
Every reason to refuse a token, a key, a key set or a copy of the list. Codes are stable: they stand in responses, \
logs, metrics and corpus verdicts. Written by `cargo run -p corpus` from the enums in `shared`; a test compares.\n";

/// The text of `CODES.md`.
pub(crate) fn print_codes(corpus: &Corpus) -> String {
    let mut text = OPENING.to_owned();
    let verdict = |code: &str| example(corpus, |case| case.expect_code == code);
    let left_out = |code: &str| example(corpus, |case| case.refused_keys.contains(&code));
    let none = |_: &str| None;
    section(
        &mut text,
        "Why a token is refused",
        TokenError::ALL,
        TokenError::code,
        verdict,
    );
    section(
        &mut text,
        "Why a key is left out of its set",
        KeyError::ALL,
        KeyError::code,
        left_out,
    );
    section(
        &mut text,
        "Why a key set is refused",
        KeySetError::ALL,
        KeySetError::code,
        verdict,
    );
    section(
        &mut text,
        "Why a copy of the list is refused",
        ListError::ALL,
        ListError::code,
        none,
    );
    section(
        &mut text,
        "Why a name is refused",
        IdError::ALL,
        IdError::code,
        none,
    );
    text
}

fn example(corpus: &Corpus, shows: impl Fn(&crate::Case) -> bool) -> Option<&str> {
    let case = corpus.cases().find(|case| shows(case))?;
    Some(&case.id)
}

fn section<'c, E: Display + Copy>(
    text: &mut String,
    title: &str,
    all: &[E],
    code: impl Fn(E) -> &'static str,
    example: impl Fn(&str) -> Option<&'c str>,
) {
    let rows = all.iter().map(|error| {
        let code = code(*error);
        match example(code) {
            Some(id) => format!("| `{code}` | {error} | `{id}` |\n"),
            None => format!("| `{code}` | {error} | |\n"),
        }
    });
    // Writing to a string cannot fail.
    write!(
        text,
        "\n## {title}\n\n| code | meaning | a case |\n| --- | --- | --- |\n{}",
        rows.collect::<String>()
    )
    .unwrap_or_default();
}
