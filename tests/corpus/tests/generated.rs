//! The committed files are what the generator makes of the committed keys.

use std::collections::BTreeSet;
use std::fs;

use corpus::{Corpus, folder, load_signatures};

#[test]
fn the_committed_corpus_is_what_the_generator_writes() {
    let corpus = Corpus::build(load_signatures().unwrap()).unwrap();
    for (name, text) in corpus.print().unwrap() {
        let committed = fs::read_to_string(folder().join(name)).unwrap();
        assert!(
            committed == text,
            "{name} differs: run `cargo run -p corpus`"
        );
    }
}

#[test]
fn no_two_cases_share_an_id() {
    let corpus = Corpus::build(load_signatures().unwrap()).unwrap();
    let mut ids = BTreeSet::new();
    for case in corpus.cases() {
        assert!(ids.insert(&case.id), "{} twice", case.id);
    }
}
