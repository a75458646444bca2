//! How many failures an account and an address may have. An attempt takes a place before it is
//! judged, so a thousand guesses at once are a thousand attempts; the place is given back when it
//! was none, and whoever finds all places taken waits for that rather than be refused.
//!
//! No stranger can close an account: its failures are counted for each address apart, and those of
//! all addresses together close it only for addresses that its owner was never seen at: neither by a
//! log-in nor by a new password with a mailed token, which opens a new one at any time.

mod kept;
mod network;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::address::parse_email;
use crate::app::App;
use crate::error::ApiError;
use crate::rate_window::{Admission, Growth, Limit, Window};
use crate::store::users;
use kept::{Place, change};
use network::network_of;

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

const BY_ADDRESS: Limit = Limit::new("address", 60, MINUTE, Growth::None);
/// What one address may fail at one account: each window that was used up doubles the next.
const BY_ACCOUNT_AND_ADDRESS: Limit = Limit::new("account", 10, MINUTE, Growth::Doubles);
const BY_ACCOUNT: Limit = Limit::new("account-everywhere", 100, 5 * MINUTE, Growth::Doubles);
/// Mails that a stranger can make us send to one mailbox, and to any number of them.
const FORGOTTEN_BY_ACCOUNT: Limit = Limit::new("forgotten-account", 5, HOUR, Growth::None);
const FORGOTTEN_BY_ADDRESS: Limit = Limit::new("forgotten-address", 30, HOUR, Growth::None);
/// Mailed tokens that are tried.
const MAILED_TOKEN_BY_ADDRESS: Limit = Limit::new("mailed-token-address", 30, MINUTE, Growth::None);
/// Answers that say whether somebody has an account.
const TAKEN_BY_ADDRESS: Limit = Limit::new("taken-address", 30, MINUTE, Growth::None);
/// Clients that are not who they say.
const CLIENT_BY_ADDRESS: Limit = Limit::new("client-address", 60, MINUTE, Growth::None);

/// Longer than judging as many passwords as there are places takes.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(25);

/// An attempt under way. Say how it ended; until then it holds its places.
#[derive(Debug)]
#[must_use]
pub struct Attempt {
    places: Vec<Place>,
}

impl Attempt {
    /// The address first: one that is refused must not use up the places of an account.
    pub async fn begin(app: &App, account: &str, address: &str) -> Result<Self, ApiError> {
        let account = account_name(account);
        let network = network_of(address);
        let pair = pair_name(&account, &network);
        let mut attempt = Self { places: Vec::new() };
        for (limit, name) in [
            (BY_ADDRESS, network.as_str()),
            (BY_ACCOUNT_AND_ADDRESS, pair.as_str()),
            (BY_ACCOUNT, account.as_str()),
        ] {
            match take_place(app, limit, name).await {
                Ok(place) => attempt.places.push(place),
                Err(ApiError::TooManyAttempts(_))
                    if limit == BY_ACCOUNT && was_seen_in(app, &account, &network).await? => {}
                Err(refused) => {
                    attempt.forgive(app).await?;
                    return Err(refused);
                }
            }
        }
        Ok(attempt)
    }

    /// It failed: the places stay taken until their windows end.
    pub async fn fail(self, app: &App) -> Result<(), ApiError> {
        for place in &self.places {
            place.settle(app, Window::fail).await?;
        }
        Ok(())
    }

    /// It was the account's own: what was mistyped at this address before is forgotten.
    pub async fn succeed(self, app: &App) -> Result<(), ApiError> {
        for place in &self.places {
            if place.limit == BY_ACCOUNT_AND_ADDRESS {
                place.settle(app, Window::forget).await?;
            } else {
                place.settle(app, Window::forgive).await?;
            }
        }
        Ok(())
    }

    /// It was none: an outage must not close an account.
    pub async fn forgive(self, app: &App) -> Result<(), ApiError> {
        for place in &self.places {
            place.settle(app, Window::forgive).await?;
        }
        Ok(())
    }
}

/// Whether that account has logged in from there before, or its owner set a new password from there.
async fn was_seen_in(app: &App, account: &str, network: &str) -> Result<bool, ApiError> {
    let addresses = users::find_addresses(&app.pool, account).await?;
    Ok(addresses
        .iter()
        .any(|address| network_of(address) == network))
}

/// The owner proved that the mailbox is theirs: what was failed at the account before, at this address
/// and by all of them together, is forgotten. Attempts under way keep their places.
pub async fn forget_failures(app: &App, account: &str, address: &str) -> Result<(), ApiError> {
    let account = account_name(account);
    let pair = pair_name(&account, &network_of(address));
    for (limit, name) in [(BY_ACCOUNT_AND_ADDRESS, &pair), (BY_ACCOUNT, &account)] {
        change(app, &key_of(limit, name), limit, |window| {
            ((), window.start_over())
        })
        .await?;
    }
    Ok(())
}

/// Every request counts here, whether or not there is such an account. The address first, as above.
pub async fn count_forgotten(app: &App, account: &str, address: &str) -> Result<(), ApiError> {
    count(app, FORGOTTEN_BY_ADDRESS, &network_of(address)).await?;
    count(app, FORGOTTEN_BY_ACCOUNT, &account_name(account)).await
}

/// Every request counts, whether it sets a password or confirms an address.
pub async fn count_mailed_token(app: &App, address: &str) -> Result<(), ApiError> {
    count(app, MAILED_TOKEN_BY_ADDRESS, &network_of(address)).await
}

/// Every request counts, before its password is hashed: who is refused has cost us nothing.
pub async fn count_registration(app: &App, address: &str) -> Result<(), ApiError> {
    let most = app.config.limits.registrations_per_hour;
    let limit = Limit::new("register-address", most, HOUR, Growth::None);
    count(app, limit, &network_of(address)).await
}

/// An e-mail address turned out to be taken. Past the limit a stranger still learns it, but only by making an
/// account of every address that is free.
pub async fn count_taken(app: &App, address: &str) -> Result<(), ApiError> {
    count(app, TAKEN_BY_ADDRESS, &network_of(address)).await
}

/// A client did not prove who it is.
pub async fn count_bad_client(app: &App, address: &str) -> Result<(), ApiError> {
    count(app, CLIENT_BY_ADDRESS, &network_of(address)).await
}

/// The account by a hash of its address: neither Redis nor a log need to know whom it is about.
#[must_use]
pub fn account_key(email: &str) -> String {
    format!("account:{}", digest(&account_name(email)))
}

fn account_name(email: &str) -> String {
    parse_email(email).unwrap_or_else(|_| email.to_owned())
}

fn pair_name(account: &str, network: &str) -> String {
    format!("{account} {network}")
}

fn key_of(limit: Limit, name: &str) -> String {
    format!("limit:{}:{}", limit.kind, digest(name))
}

fn digest(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(name)[..16])
}

/// What counts whatever comes of it.
async fn count(app: &App, limit: Limit, name: &str) -> Result<(), ApiError> {
    let place = take_place(app, limit, name).await?;
    place.settle(app, Window::fail).await
}

/// Waits while attempts under way hold every place: most of them give theirs back.
async fn take_place(app: &App, limit: Limit, name: &str) -> Result<Place, ApiError> {
    let key = key_of(limit, name);
    let patience_ends = Instant::now() + PATIENCE;
    loop {
        let now = app.clock.now();
        let (admission, kept) = change(app, &key, limit, |window| window.admit(limit, now)).await?;
        match admission {
            Admission::Admitted => return Ok(Place { key, limit, kept }),
            Admission::AllTaken(_) if Instant::now() < patience_ends => {
                tokio::time::sleep(PAUSE).await;
            }
            Admission::AllTaken(exceeded) | Admission::Refused(exceeded) => {
                metrics::counter!("portcullis_limited_total", "kind" => limit.kind).increment(1);
                return Err(ApiError::TooManyAttempts(exceeded));
            }
        }
    }
}
