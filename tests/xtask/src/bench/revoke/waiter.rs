//! One edge as cheap as can be: a socket, a request that hangs, and when its answer was whole.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// An answer's head has some two hundred bytes, a logout's message less than two thousand.
const BUFFER_BYTES: usize = 2048;

#[derive(Debug)]
pub(super) struct Waiter {
    stream: BufReader<TcpStream>,
    secret: String,
    /// The version that it holds.
    pub(super) version: u64,
}

/// A list that came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) at: Instant,
    pub(super) body_bytes: usize,
}

impl Waiter {
    pub(super) async fn connect(origin: SocketAddr, secret: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(origin).await.context("connect")?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::with_capacity(BUFFER_BYTES, stream),
            secret: secret.to_owned(),
            version: 0,
        })
    }

    /// Asks until there is a newer list than the one that it holds.
    pub(super) async fn wait(&mut self) -> anyhow::Result<Arrival> {
        loop {
            self.ask(30).await?;
            if let Some(arrival) = self.read_answer().await? {
                return Ok(arrival);
            }
        }
    }

    pub(super) async fn ask(&mut self, wait_secs: u64) -> anyhow::Result<()> {
        let request = format!(
            "GET /revocations/head?after={}&wait={wait_secs} HTTP/1.1\r\nHost: o\r\n\
             Authorization: Bearer {}\r\n\r\n",
            self.version, self.secret
        );
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        Ok(())
    }

    /// `None` for a 204.
    async fn read_answer(&mut self) -> anyhow::Result<Option<Arrival>> {
        let status = self.read_line().await?;
        let mut length = 0;
        loop {
            let line = self.read_line().await?;
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse()?;
            } else if name.eq_ignore_ascii_case("portcullis-list-version") {
                self.version = value.parse()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        match status.split(' ').nth(1) {
            Some("200") => Ok(Some(Arrival {
                at: Instant::now(),
                body_bytes: length,
            })),
            Some("204") => Ok(None),
            _ => bail!("{status}: {}", String::from_utf8_lossy(&body)),
        }
    }

    async fn read_line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).await?;
        if read == 0 {
            bail!("the origin closed the connection");
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}
