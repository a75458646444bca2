//! Replicas hear of each other through Redis: "there is a list", "there is something to publish".
//! Nothing rests on it: whoever hears nothing looks at the database soon enough. A Redis that is
//! slow or gone holds up nobody, because announcements leave through a task of their own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::{AsyncCommands, ServerErrorKind};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Publisher;
use super::outage::Outage;
use crate::backoff::Backoff;
use crate::cache::WAKE_CHANNEL;
use crate::redis_server::{Mistrust, RedisServer};

const LIST_CHANNEL: &str = "portcullis:list";
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(2);

/// What this replica has to say. A second announcement before the first left says nothing new.
#[derive(Debug, Default)]
pub(super) struct Announcer {
    list: Notify,
}

impl Announcer {
    pub(super) fn announce_list(&self) {
        self.list.notify_one();
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    #[error("Redis failed")]
    Redis(#[source] redis::RedisError),
    #[error(transparent)]
    Mistrusted(#[from] Mistrust),
    #[error("Redis did not answer in time")]
    TimedOut,
    #[error("Redis ended the subscription")]
    Ended,
}

impl From<redis::RedisError> for ReplicaError {
    fn from(error: redis::RedisError) -> Self {
        match Mistrust::behind(&error) {
            Some(mistrust) => Self::Mistrusted(mistrust),
            None => Self::Redis(error),
        }
    }
}

impl ReplicaError {
    /// Whether it may be over without a change of the settings.
    fn may_pass(&self) -> bool {
        match self {
            Self::Redis(error) => {
                error.is_io_error() || error.kind() == ServerErrorKind::BusyLoading.into()
            }
            Self::TimedOut | Self::Ended => true,
            Self::Mistrusted(_) => false,
        }
    }

    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Redis(_) => "redis_unavailable",
            Self::Mistrusted(mistrust) => mistrust.code(),
            Self::TimedOut => "redis_timed_out",
            Self::Ended => "redis_subscription_ended",
        }
    }
}

/// The Redis that is there takes no connection of ours, and never will by itself.
#[derive(Debug, thiserror::Error)]
#[error("the Redis at {address} (REDIS_URL) cannot be used")]
pub struct RedisUnusable {
    address: String,
    source: ReplicaError,
}

/// Finds out at start whether the settings are right. A Redis that is away may come back later, and is
/// no reason not to start: the database answers.
pub async fn try_redis(server: &RedisServer) -> Result<(), RedisUnusable> {
    let address = server.to_string();
    match in_time(server.client().get_multiplexed_async_connection()).await {
        Ok(_) => Ok(()),
        Err(error) if error.may_pass() => {
            let cause: &dyn std::error::Error = &error;
            tracing::warn!(
                address,
                cause,
                "Redis (REDIS_URL) is away: the database answers"
            );
            Ok(())
        }
        Err(source) => Err(RedisUnusable { address, source }),
    }
}

/// Announces and listens until `stop`, connecting again whenever Redis comes back.
pub(super) async fn run(publisher: Arc<Publisher>, server: RedisServer, stop: CancellationToken) {
    let client = server.client();
    let mut backoff = Backoff::up_to(LONGEST_PAUSE);
    let mut outage = Outage::of("redis");
    loop {
        let talk = talk(&publisher, &client, || {
            outage.is_over();
            backoff.reset();
        });
        let Some(Err(error)) = stop.run_until_cancelled(talk).await else {
            return;
        };
        outage.failed(error.code(), &error);
        let pause = tokio::time::sleep(backoff.next_pause());
        if stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

/// Ends only with an error.
async fn talk(
    publisher: &Publisher,
    client: &redis::Client,
    mut connected: impl FnMut(),
) -> Result<std::convert::Infallible, ReplicaError> {
    let mut commands = in_time(client.get_multiplexed_async_connection()).await?;
    let mut subscription = in_time(client.get_async_pubsub()).await?;
    in_time(subscription.subscribe(&[LIST_CHANNEL, WAKE_CHANNEL])).await?;
    connected();
    // Something may have been published while nobody listened.
    publisher.published_elsewhere.notify_one();
    let mut heard = subscription.on_message();
    loop {
        tokio::select! {
            message = heard.next() => {
                hear(publisher, message.ok_or(ReplicaError::Ended)?.get_channel_name());
            }
            () = publisher.announcer.list.notified() => {
                in_time(commands.publish::<_, _, ()>(LIST_CHANNEL, "")).await?;
            }
        }
    }
}

fn hear(publisher: &Publisher, channel: &str) {
    match channel {
        LIST_CHANNEL => publisher.published_elsewhere.notify_one(),
        // Whoever revoked says so on this channel; see `cache`.
        WAKE_CHANNEL => publisher.revoked_elsewhere.notify_one(),
        _ => {}
    }
}

async fn in_time<T>(
    answer: impl Future<Output = redis::RedisResult<T>>,
) -> Result<T, ReplicaError> {
    match tokio::time::timeout(TIMEOUT, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(ReplicaError::TimedOut),
    }
}
