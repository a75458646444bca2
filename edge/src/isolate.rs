//! What one isolate remembers between requests: values, never promises or anything else that
//! belongs to one request. A panic resets the instance, and with it all of this.

use std::cell::{OnceCell, RefCell};

use crate::config::{Config, ConfigError};
use crate::introspection_cache::IntrospectionCache;
use crate::lanes::Lanes;
use crate::list_cache::ListCache;
use crate::verified_cache::VerifiedCache;

/// Beside the list (at most 64 MiB) in an isolate's 128 MiB: 10,000 tokens of 1,300 bytes in turn.
const VERIFIED_CACHE_BYTES: usize = 24 * 1024 * 1024;

#[derive(Debug)]
pub struct Isolate {
    config: OnceCell<Result<Config, ConfigError>>,
    pub lists: RefCell<ListCache>,
    pub lanes: RefCell<Lanes>,
    pub tokens: RefCell<VerifiedCache>,
    pub answers: RefCell<IntrospectionCache>,
}

thread_local! {
    /// Leaked, because it lives as long as the instance and requests outlive any scope.
    static ISOLATE: &'static Isolate = Box::leak(Box::new(Isolate::new()));
}

impl Isolate {
    /// The one of this thread.
    #[must_use]
    pub fn current() -> &'static Self {
        ISOLATE.with(|isolate| *isolate)
    }

    fn new() -> Self {
        Self {
            config: OnceCell::new(),
            lists: RefCell::default(),
            lanes: RefCell::default(),
            answers: RefCell::default(),
            tokens: RefCell::new(VerifiedCache::new(VERIFIED_CACHE_BYTES)),
        }
    }

    /// The configuration, if it was read before and is good.
    #[must_use]
    pub fn known_config(&self) -> Option<&Config> {
        self.config.get()?.as_ref().ok()
    }

    /// Reads the configuration once; a bad one stays bad for the isolate's life.
    pub fn config(
        &self,
        read: impl FnOnce() -> Result<Config, ConfigError>,
    ) -> Result<&Config, &ConfigError> {
        self.config.get_or_init(read).as_ref()
    }
}
