//! A TCP proxy that a test can cut or make hang.

use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Connections break, new ones are closed at once.
    Cut,
    /// Connections stay and nothing moves.
    Hanging,
}

pub(crate) struct Proxy {
    port: u16,
    state: Arc<watch::Sender<State>>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub(super) async fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(watch::Sender::new(State::Open));
        let task = tokio::spawn(accept(listener, target, state.subscribe()));
        Self { port, state, task }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    pub(crate) fn hang(&self) {
        self.state.send_replace(State::Hanging);
    }

    pub(crate) fn restore(&self) {
        self.state.send_replace(State::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, target: String, state: watch::Receiver<State>) {
    while let Ok((client, _)) = listener.accept().await {
        if *state.borrow() != State::Cut {
            tokio::spawn(carry(client, target.clone(), state.clone()));
        }
    }
}

/// Carries bytes while open; holds still while hanging; ends when cut.
async fn carry(mut client: TcpStream, target: String, mut state: watch::Receiver<State>) {
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    loop {
        let current = *state.borrow_and_update();
        match current {
            State::Cut => return,
            State::Hanging => {
                if state.changed().await.is_err() {
                    return;
                }
            }
            State::Open => tokio::select! {
                // Bytes that were read but not yet written are lost here, as on a broken line: a
                // proxy that was made to hang is only ever restored for new connections.
                _ = copy_bidirectional(&mut client, &mut server) => return,
                changed = state.changed() => if changed.is_err() { return },
            },
        }
    }
}
