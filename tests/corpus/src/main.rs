//! Writes the corpus into its folder: `cargo run -p corpus`. Signatures that are still good are
//! kept, so a run that changes nothing writes the same bytes.

use std::fs;

use corpus::{Corpus, folder, load_signatures};

fn main() -> anyhow::Result<()> {
    let corpus = Corpus::build(load_signatures()?)?;
    for (name, text) in corpus.print()? {
        fs::write(folder().join(name), text)?;
    }
    println!("{} cases", corpus.cases().count());
    Ok(())
}
