//! One kept-alive HTTP/1.1 connection that sends ready-made requests and reads answers of a stated
//! length. The load shares the cores with what it measures, so it does no more than it must.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const READ_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 32;

#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// Where the body lies in what was received.
struct Head {
    bytes: usize,
    status: u16,
    body_bytes: usize,
}

impl Connection {
    pub(super) async fn open(server: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server)
            .await
            .with_context(|| format!("nobody listens on {server}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(READ_BYTES),
        })
    }

    /// Sends `request` and answers with the body of the response, which must be a 2xx: a refusal
    /// costs less than what is measured.
    pub(super) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.received.clear();
        loop {
            let read = self.stream.read_buf(&mut self.received).await?;
            ensure!(read > 0, "the server closed the connection");
            if let Some(head) = parse_head(&self.received)?
                && self.received.len() >= head.bytes + head.body_bytes
            {
                let body = &self.received[head.bytes..];
                let words = || String::from_utf8_lossy(body);
                ensure!(
                    (200..300).contains(&head.status),
                    "the answer was {}: {}",
                    head.status,
                    words()
                );
                return Ok(body);
            }
        }
    }
}

/// `None`: there is more to come.
fn parse_head(received: &[u8]) -> anyhow::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(bytes) = response.parse(received)? else {
        return Ok(None);
    };
    let named = |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case("content-length");
    let Some(length) = response.headers.iter().find(named) else {
        bail!("an answer without a length");
    };
    Ok(Some(Head {
        bytes,
        status: response.code.unwrap_or_default(),
        body_bytes: std::str::from_utf8(length.value)?.parse()?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_the_whole_head() {
        assert!(
            parse_head(b"HTTP/1.1 200 OK\r\ncontent-le")
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn reads_the_length_however_its_name_is_written() {
        let head = parse_head(b"HTTP/1.1 401 No\r\nContent-Length: 3\r\n\r\nabc").unwrap();
        let head = head.unwrap();
        assert_eq!((head.status, head.bytes, head.body_bytes), (401, 38, 3));
    }

    #[test]
    fn refuses_an_answer_without_a_length() {
        assert!(parse_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
