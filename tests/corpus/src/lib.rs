//! Our own cases for a token verifier: each row of the attack table and each rule of the token
//! format, with a legal neighbour beside each attack. Everything here is made from committed test
//! keys, so that anyone can make it again; nothing here knows what our verifier answers.

mod case;
mod cases;
mod codes;
mod forge;
mod given;
mod members;
mod signatures;
mod test_key;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

pub use case::Case;
use codes::print_codes;
use forge::Forge;
pub use signatures::Signatures;

/// A file of the corpus and the lines in it.
#[derive(Debug)]
pub struct CaseFile {
    /// Its name in the folder.
    pub name: &'static str,
    /// Its cases, in order.
    pub cases: Vec<Case>,
}

impl CaseFile {
    /// The file's text: one case a line.
    pub fn print(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        for case in &self.cases {
            text.push_str(&serde_json::to_string(case)?);
            text.push('\n');
        }
        Ok(text)
    }
}

/// Everything that the generator writes.
#[derive(Debug)]
pub struct Corpus {
    /// The cases, by file.
    pub files: Vec<CaseFile>,
    /// The signatures of randomised algorithms that the cases use.
    pub signatures: Signatures,
}

impl Corpus {
    /// Builds every case. Signatures that are not in `known` are made anew.
    pub fn build(known: Signatures) -> anyhow::Result<Self> {
        let mut forge = Forge::new(known)?;
        let files = cases::build(&mut forge)?;
        Ok(Self {
            files,
            signatures: forge.into_signatures(),
        })
    }

    /// Every case of every file.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.files.iter().flat_map(|file| &file.cases)
    }

    /// The generated files by name, as they stand in the folder.
    pub fn print(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let mut texts = self
            .files
            .iter()
            .map(|file| Ok((file.name, file.print()?)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        texts.push((SIGNATURES_FILE, self.signatures.print()?));
        texts.push(("CODES.md", print_codes(self)));
        Ok(texts)
    }
}

const SIGNATURES_FILE: &str = "signatures.json";

/// The folder that holds the corpus: this package's own.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The committed signatures.
pub fn load_signatures() -> anyhow::Result<Signatures> {
    let path = folder().join(SIGNATURES_FILE);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Signatures::parse(&text)
}
