//! A mail server (RFC 5321) that takes one message a connection, or answers as it is told.

use std::sync::{Arc, Mutex};

use origin::config::MailWay;
use origin::mail::Transport;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

pub(crate) struct SmtpServer {
    port: u16,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// The reply to RCPT TO; `None`: to nothing at all.
    reply: Mutex<Option<String>>,
    messages: Mutex<Vec<String>>,
    client_came: Notify,
}

impl SmtpServer {
    pub(crate) async fn start(reply: &str) -> Self {
        Self::listen(Some(reply.to_owned())).await
    }

    /// Takes connections and says nothing.
    pub(crate) async fn silent() -> Self {
        Self::listen(None).await
    }

    async fn listen(reply: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            reply: Mutex::new(reply),
            ..Shared::default()
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { port, shared, task }
    }

    pub(crate) fn transport(&self) -> Transport {
        let url = format!("smtp://127.0.0.1:{}", self.port);
        Transport::open(&MailWay::Smtp(url.into())).unwrap()
    }

    pub(crate) fn reply(&self, reply: &str) {
        *self.shared.reply.lock().unwrap() = Some(reply.to_owned());
    }

    pub(crate) fn last_message(&self) -> String {
        self.shared.messages.lock().unwrap().last().unwrap().clone()
    }

    pub(crate) async fn wait_for_client(&self) {
        self.shared.client_came.notified().await;
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        shared.client_came.notify_one();
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let reply = shared.reply.lock().unwrap().clone();
            match reply {
                // A client that breaks off ends the conversation, which is its right.
                Some(reply) => drop(converse(stream, &reply, &shared).await),
                None => std::future::pending().await,
            }
        });
    }
}

async fn converse(mut stream: TcpStream, reply: &str, shared: &Shared) -> std::io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 test\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "RCPT" => reply,
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
        if line == "DATA" {
            let mut message = String::new();
            while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                message += &line;
                message += "\r\n";
            }
            shared.messages.lock().unwrap().push(message);
            writer.write_all(b"250 taken\r\n").await?;
        }
    }
    Ok(())
}
