//! What came back on a socket, as far as it can be read.

use std::io::Read;
use std::net::TcpStream;

use serde_json::Value;

#[derive(Debug)]
pub(super) struct Answer {
    /// 0: the connection ended without one.
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        // A reset after the answer: the server did not take all that was sent.
        let ended = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let timed_out = ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!timed_out, "no answer in time: {text}");
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        Self {
            status: status.unwrap_or(0),
            body: serde_json::from_str(body).unwrap_or_default(),
        }
    }

    pub(super) fn code(&self) -> String {
        self.body["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn is_refusal(&self) -> bool {
        (400..500).contains(&self.status) && !self.code().is_empty()
    }
}
