//! Passwords: Argon2id on a bounded number of threads with a bounded queue. It knows neither accounts
//! nor stores.

mod argon2id;
mod policy;

use std::sync::Arc;
use std::time::Instant;

use metrics::{counter, gauge, histogram};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use unicode_normalization::UnicodeNormalization;

pub use policy::Owner;

use self::argon2id::Hasher;
use crate::error::ApiError;

/// Waiters for one thread: at about 30 ms a hash, the last waits about a second.
const QUEUE_PER_THREAD: usize = 32;

/// What a check of a password found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, and hashed anew because the stored hash has other parameters than we use now.
    RightAndRehashed(String),
}

#[derive(Debug)]
pub struct Passwords {
    min_chars: usize,
    threads: Arc<Semaphore>,
    /// Running and waiting together.
    places: Arc<Semaphore>,
    hasher: Arc<Hasher>,
    /// Compared with where there is no account, so that the answer takes as long.
    decoy: String,
}

impl Passwords {
    /// Hashes one password to have a decoy, which takes a moment.
    pub fn new(min_chars: usize, threads: usize) -> Result<Self, ApiError> {
        let hasher = Hasher::default();
        Ok(Self {
            min_chars,
            threads: Arc::new(Semaphore::new(threads)),
            places: Arc::new(Semaphore::new(threads * (1 + QUEUE_PER_THREAD))),
            decoy: hasher.hash(&normalize("no account has this password"))?,
            hasher: Arc::new(hasher),
        })
    }

    /// The hash of a password that is to be set; refuses what an attacker would guess. Judging a
    /// password takes a thread as well, so it waits in the same queue.
    pub async fn hash_new(
        &self,
        password: &SecretString,
        owner: &Owner<'_>,
    ) -> Result<String, ApiError> {
        let password = SecretString::from(normalize(password.expose_secret()));
        policy::check_length(password.expose_secret(), self.min_chars)?;
        let about = owner.words();
        self.run(move |hasher| {
            policy::check_guesses(password.expose_secret(), &about)?;
            hasher.hash(password.expose_secret())
        })
        .await
    }

    /// Takes as long for `None`, an account that does not exist, as for a wrong password.
    pub async fn verify(
        &self,
        password: &SecretString,
        stored: Option<&str>,
    ) -> Result<Verdict, ApiError> {
        let password = SecretString::from(normalize(password.expose_secret()));
        let exists = stored.is_some();
        let stored = stored.unwrap_or(&self.decoy).to_owned();
        let verdict = self
            .run(move |hasher| hasher.verify(password.expose_secret(), &stored))
            .await?;
        Ok(if exists { verdict } else { Verdict::Wrong })
    }

    fn take_place(&self) -> Result<QueuePlace, ApiError> {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(permit) => Ok(QueuePlace::new(permit)),
            Err(TryAcquireError::NoPermits) => {
                counter!("portcullis_passwords_refused_total").increment(1);
                Err(ApiError::PasswordsBusy)
            }
            Err(TryAcquireError::Closed) => Err(ApiError::Internal("the password queue is closed")),
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hasher) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = self.take_place()?;
        let waiting = Instant::now();
        let thread = Arc::clone(&self.threads)
            .acquire_owned()
            .await
            .map_err(|_| ApiError::Internal("the password queue is closed"))?;
        histogram!("portcullis_password_wait_seconds").record(waiting.elapsed().as_secs_f64());
        let hasher = Arc::clone(&self.hasher);
        // Both permits move into the work: it holds its memory even if nobody waits for it any more.
        tokio::task::spawn_blocking(move || {
            let _held = (place, thread);
            let began = Instant::now();
            let done = work(&hasher);
            histogram!("portcullis_password_hash_seconds").record(began.elapsed().as_secs_f64());
            done
        })
        .await
        .map_err(|_| ApiError::Internal("a password thread panicked"))?
    }
}

/// A place in the queue, and the gauge that counts it.
#[derive(Debug)]
struct QueuePlace(
    #[expect(dead_code, reason = "held, and given back when dropped")] OwnedSemaphorePermit,
);

impl QueuePlace {
    fn new(permit: OwnedSemaphorePermit) -> Self {
        gauge!("portcullis_password_queue").increment(1.0);
        Self(permit)
    }
}

impl Drop for QueuePlace {
    fn drop(&mut self) {
        gauge!("portcullis_password_queue").decrement(1.0);
    }
}

/// One text, one password, however the keyboard composed it.
fn normalize(password: &str) -> String {
    password.nfc().collect()
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHasher, SaltString};
    use argon2::{Algorithm, Argon2, Params, Version};

    use super::*;

    fn passwords() -> Passwords {
        Passwords::new(8, 1).unwrap()
    }

    #[tokio::test]
    async fn accepts_one_password_composed_in_two_ways() {
        let passwords = passwords();
        let owner = Owner {
            email: "ada@example.org",
            name: None,
        };
        let composed = "caf\u{e9} au lait".into();
        let stored = passwords.hash_new(&composed, &owner).await.unwrap();
        let decomposed = "cafe\u{301} au lait".into();
        assert_eq!(
            passwords.verify(&decomposed, Some(&stored)).await.unwrap(),
            Verdict::Right
        );
    }

    #[tokio::test]
    async fn rehashes_what_was_hashed_with_other_parameters() {
        let weak = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(8 * 1024, 1, 1, None).unwrap(),
        );
        let salt = SaltString::encode_b64(b"0123456789abcdef").unwrap();
        let stored = weak
            .hash_password(b"correct horse", &salt)
            .unwrap()
            .to_string();
        let passwords = passwords();
        let verdict = passwords
            .verify(&"correct horse".into(), Some(&stored))
            .await
            .unwrap();
        let Verdict::RightAndRehashed(anew) = verdict else {
            panic!("{verdict:?}")
        };
        assert!(
            anew.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{anew}"
        );
        assert_eq!(
            passwords
                .verify(&"correct horse".into(), Some(&anew))
                .await
                .unwrap(),
            Verdict::Right
        );
    }

    #[tokio::test]
    async fn refuses_at_once_when_the_queue_is_full() {
        let passwords = passwords();
        let all = passwords.places.available_permits().try_into().unwrap();
        let _held = passwords.places.acquire_many(all).await.unwrap();
        // Without an account there is as much to do, so the queue is the same.
        for stored in [None, Some("a hash")] {
            let answer = passwords.verify(&"x".into(), stored).await;
            assert_eq!(answer.unwrap_err().code(), "passwords_busy");
        }
    }
}
