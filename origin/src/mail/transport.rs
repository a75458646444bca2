//! How a message leaves: to a mail server, or into a folder of `.eml` files. It does not know what
//! it carries.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;

use crate::config::MailWay;
use crate::private_file;

/// A server may be silent this long at each step, and take [`SENDING_MAY_TAKE`] for all of them.
const STEP_MAY_TAKE: Duration = Duration::from_secs(20);
const SENDING_MAY_TAKE: Duration = Duration::from_mins(1);

/// Replies that are about the recipient: no later attempt would have another answer (RFC 5321,
/// section 4.2.3). Others, as a wrong password of ours, are somebody's to repair.
const RECIPIENT_REFUSED: [u16; 4] = [550, 551, 553, 556];

#[derive(Debug)]
pub enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("mail cannot be sent (PORTCULLIS_SMTP_URL)")]
    BadServer(#[source] lettre::transport::smtp::Error),
    #[error("cannot make the folder {} (PORTCULLIS_MAIL_DIR)", folder.display())]
    BadFolder {
        folder: PathBuf,
        source: std::io::Error,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error("the mail server refuses the recipient")]
    RecipientRefused(#[source] lettre::transport::smtp::Error),
    #[error("the mail server did not take it")]
    ServerFailed(#[source] lettre::transport::smtp::Error),
    #[error("the mail server took too long")]
    TookTooLong,
    #[error("the mail folder cannot be written (PORTCULLIS_MAIL_DIR)")]
    FolderUnwritable(#[source] std::io::Error),
}

impl DeliveryError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::RecipientRefused(_) => "recipient_refused",
            Self::ServerFailed(_) => "mail_server_failed",
            Self::TookTooLong => "mail_server_slow",
            Self::FolderUnwritable(_) => "mail_folder_unwritable",
        }
    }
}

impl Transport {
    /// A server is not reached yet; a folder is there afterwards.
    pub fn open(way: &MailWay) -> Result<Self, OpenError> {
        match way {
            MailWay::Smtp(url) => {
                AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())
                    .map(|server| Self::Smtp(server.timeout(Some(STEP_MAY_TAKE)).build()))
                    .map_err(OpenError::BadServer)
            }
            MailWay::Folder(folder) => {
                private_file::create_folder(folder).map_err(|source| OpenError::BadFolder {
                    folder: folder.clone(),
                    source,
                })?;
                Ok(Self::Folder(folder.clone()))
            }
        }
    }

    /// Whether the server lets us in; a folder is there since it was opened.
    pub async fn reach(&self) -> Result<(), DeliveryError> {
        let Self::Smtp(server) = self else {
            return Ok(());
        };
        match tokio::time::timeout(STEP_MAY_TAKE, server.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) | Err(_) => Err(DeliveryError::TookTooLong),
            Ok(Err(error)) => Err(DeliveryError::ServerFailed(error)),
        }
    }

    /// `name` is what the message is called in a folder.
    pub(super) async fn deliver(&self, message: Message, name: &str) -> Result<(), DeliveryError> {
        match self {
            Self::Smtp(server) => {
                let sent = tokio::time::timeout(SENDING_MAY_TAKE, server.send(message)).await;
                match sent {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(error)) => Err(classify(error)),
                    Err(_) => Err(DeliveryError::TookTooLong),
                }
            }
            Self::Folder(folder) => put_into(folder, name, message.formatted())
                .await
                .map_err(DeliveryError::FolderUnwritable),
        }
    }
}

fn classify(error: lettre::transport::smtp::Error) -> DeliveryError {
    match error.status().map(u16::from) {
        Some(code) if RECIPIENT_REFUSED.contains(&code) => DeliveryError::RecipientRefused(error),
        _ if error.is_timeout() => DeliveryError::TookTooLong,
        _ => DeliveryError::ServerFailed(error),
    }
}

async fn put_into(folder: &Path, name: &str, message: Vec<u8>) -> std::io::Result<()> {
    let path = folder.join(name);
    tokio::task::spawn_blocking(move || private_file::create(&path, &message)).await?
}
