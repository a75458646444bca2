//! The one list of codes, for readers: each reason with its sentence and a case that shows it.

use std::fmt::Display;

use shared::{IdError, KeyError, KeySetError, ListError, TokenError};

use crate::Corpus;

const OPENING: &str = "# Codes\n\n\
Every reason to refuse a token, a key, a key set or a copy of the list. Codes are stable: they stand in responses, \
logs, metrics and corpus verdicts. Written by `cargo run -p corpus` from the enums in `shared`; a test compares.\n";

/// The text of `CODES.md`.
pub(crate) fn print_codes(corpus: &Corpus) -> String {
    let verdict = |code: &str| example(corpus, |case| case.expect_code == code);
    let left_out = |code: &str| example(corpus, |case| case.refused_keys.contains(&code));
    let none = |_: &str| None;
    [
        OPENING.to_owned(),
        section(
            "Why a token is refused",
            TokenError::ALL,
            TokenError::code,
            verdict,
        ),
        section(
            "Why a key is left out of its set",
            KeyError::ALL,
            KeyError::code,
            left_out,
        ),
        section(
            "Why a key set is refused",
            KeySetError::ALL,
            KeySetError::code,
            verdict,
        ),
        section(
            "Why a copy of the list is refused",
            ListError::ALL,
            ListError::code,
            none,
        ),
        section("Why a name is refused", IdError::ALL, IdError::code, none),
    ]
    .concat()
}

fn example(corpus: &Corpus, shows: impl Fn(&crate::Case) -> bool) -> Option<&str> {
    let case = corpus.cases().find(|case| shows(case))?;
    Some(&case.id)
}

fn section<'c, E: Display + Copy>(
    title: &str,
    all: &[E],
    code: impl Fn(E) -> &'static str,
    example: impl Fn(&str) -> Option<&'c str>,
) -> String {
    let rows = all.iter().map(|error| {
        let code = code(*error);
        match example(code) {
            Some(id) => format!("| `{code}` | {error} | `{id}` |\n"),
            None => format!("| `{code}` | {error} | |\n"),
        }
    });
    let rows: String = rows.collect();
    format!("\n## {title}\n\n| code | meaning | a case |\n| --- | --- | --- |\n{rows}")
}
