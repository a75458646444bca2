//! `cargo xtask corpus`: any corpus of tokens through the real verifier, natively or in workerd.
//! One case a line on stdin, one verdict a line on stdout, in the same order.

use std::io::{BufRead, BufWriter, Write};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use reqwest::Method;
use serde_json::{Map, json};
use shared::{NativeVerifier, verify_now};
use stack::{Client, Edge, EdgeSettings, port, progress::Progress};

use crate::build_edge;

/// A chunk is small enough for one request and large enough that requests do not cost much.
const CHUNK_CASES: usize = 200;
const CHUNK_BYTES: usize = 1024 * 1024;
/// Stands for a line that is no text, so that it gets the verdict of a line that is no case.
const NO_TEXT: &str = "(no text)";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Which of the two verifiers
    #[arg(long, value_enum)]
    engine: Engine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// `jsonwebtoken`'s cryptography in this process
    Native,
    /// WebCrypto, in the Worker in workerd
    Edge,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let cases = std::io::stdin().lock();
    let verdicts = BufWriter::new(std::io::stdout().lock());
    match options.engine {
        Engine::Native => judge_natively(cases, verdicts),
        Engine::Edge => judge_at_edge(cases, verdicts),
    }
}

fn judge_natively(cases: impl BufRead, mut verdicts: impl Write) -> anyhow::Result<()> {
    let mut progress = Progress::start("judging natively");
    let mut count = 0;
    for case in Cases(cases) {
        let verdict = verify_now(shared::corpus::run_line(&case?, &NativeVerifier));
        writeln!(verdicts, "{verdict}")?;
        count += 1;
        progress.tick(&format!("{count} cases"));
    }
    progress.finish();
    Ok(verdicts.flush()?)
}

fn judge_at_edge(cases: impl BufRead, mut verdicts: impl Write) -> anyhow::Result<()> {
    let worker = build_edge::build_for_tests()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let folder = tempfile::tempdir()?;
        let mut edge = Edge::start(EdgeSettings {
            port: port::find_free()?,
            folder: folder.path().to_path_buf(),
            worker,
            vars: Map::from_iter([("LIST_KEYS".to_owned(), json!({ "keys": [] }))]),
            secret: stack::generate_secret()?,
        })?;
        edge.wait_until_ready().await?;
        let client = Client::new(edge.url())?;
        let mut progress = Progress::start("judging at the edge");
        let mut count = 0;
        let mut cases = Cases(cases).peekable();
        while cases.peek().is_some() {
            let chunk = read_chunk(&mut cases)?;
            write!(verdicts, "{}", judge_chunk(&client, &chunk).await?)?;
            count += chunk.len();
            progress.tick(&format!("{count} cases"));
        }
        progress.finish();
        Ok(verdicts.flush()?)
    })
}

fn read_chunk(
    cases: &mut impl Iterator<Item = std::io::Result<String>>,
) -> anyhow::Result<Vec<String>> {
    let mut chunk = Vec::new();
    let mut bytes = 0;
    while chunk.len() < CHUNK_CASES && bytes < CHUNK_BYTES {
        let Some(case) = cases.next() else { break };
        let case = case?;
        bytes += case.len();
        chunk.push(case);
    }
    Ok(chunk)
}

async fn judge_chunk(client: &Client, chunk: &[String]) -> anyhow::Result<String> {
    // The empty first line is skipped, and keeps a byte order mark from being taken off a case.
    let body = format!("\n{}\n", chunk.join("\n"));
    let request = client
        .request(Method::POST, "/.portcullis/corpus")
        .body(body);
    let answer = client
        .send(request)
        .await
        .context("the Worker did not answer")?
        .expect(200)?;
    let (asked, answered) = (chunk.len(), answer.text.lines().count());
    ensure!(asked == answered, "{answered} verdicts for {asked} cases");
    Ok(answer.text)
}

/// The lines that hold something, each without its line break.
struct Cases<R>(R);

impl<R: BufRead> Iterator for Cases<R> {
    type Item = std::io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut line = Vec::new();
            match self.0.read_until(b'\n', &mut line) {
                Err(error) => return Some(Err(error)),
                Ok(0) => return None,
                Ok(_) => {}
            }
            let line = String::from_utf8(line).unwrap_or_else(|_| NO_TEXT.to_owned());
            let line = line.trim();
            if !line.is_empty() {
                return Some(Ok(line.to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<String> {
        Cases(bytes).map(Result::unwrap).collect()
    }

    #[test]
    fn skips_empty_lines_and_keeps_the_last_without_a_line_break() {
        assert_eq!(read(b"a\r\n\n  \nb"), ["a", "b"]);
    }

    #[test]
    fn a_line_that_is_no_text_stays_a_line() {
        assert_eq!(read(b"a\n\xff\xfe\nb\n"), ["a", NO_TEXT, "b"]);
    }

    #[test]
    fn a_line_that_is_no_case_gets_a_verdict_and_the_run_goes_on() {
        let mut verdicts = Vec::new();
        judge_natively(&b"{}\nnot JSON\n"[..], &mut verdicts).unwrap();
        assert_eq!(
            String::from_utf8(verdicts)
                .unwrap()
                .matches(r#""verdict":"error""#)
                .count(),
            2
        );
    }
}
