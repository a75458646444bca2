//! stderr when nobody reads it.

use std::io::{PipeWriter, Write, pipe};
use std::time::Duration;

use futures_util::future::join_all;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::Signal;
use reqwest::Client;

use crate::portcullis::{Portcullis, wait_for_end};
use crate::world::PATIENCE;

/// A pipe that is full would make it endless.
const AN_ANSWER_MAY_TAKE: Duration = PATIENCE;
const AT_ONCE: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_reads_loses_lines_counts_them_and_holds_up_nobody() {
    let mut serving = Portcullis::new().serve_unread();
    let client = Client::builder()
        .timeout(AN_ANSWER_MAY_TAKE)
        .build()
        .unwrap();
    let get = async |path: &str| client.get(serving.url(path)).send().await;
    stack::until("lines are lost", PATIENCE, async || {
        for answer in join_all((0..AT_ONCE).map(|_| get("/health/live"))).await {
            assert_eq!(answer.expect("an answer in time").status(), 200);
        }
        let metrics = get("/metrics").await?.text().await?;
        let lost = metrics.contains("portcullis_log_lines_lost_total ")
            && !metrics.contains("portcullis_log_lines_lost_total 0");
        Ok(lost.then_some(()))
    })
    .await
    .unwrap();
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.wait(PATIENCE), Some(0));
}

#[test]
fn an_error_that_nobody_reads_does_not_keep_a_command_from_ending() {
    let (unread, mut full) = pipe().unwrap();
    full.write_all(&vec![b'x'; capacity(&full)]).unwrap();
    let mut process = Portcullis::new()
        .command()
        .args(["--listen=nowhere", "serve"])
        .stderr(full)
        .spawn()
        .unwrap();
    let code = wait_for_end(&mut process, PATIENCE);
    drop(unread);
    assert_eq!(code, Some(2));
}

/// In bytes: it depends on the machine's pages, and on how many pipes its user has.
fn capacity(pipe: &PipeWriter) -> usize {
    let bytes = fcntl(pipe, FcntlArg::F_GETPIPE_SZ).unwrap();
    usize::try_from(bytes).unwrap()
}
