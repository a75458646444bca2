//! What is known about one request so far, and how each missing fact is gathered.
//!
//! The list is taken once and kept for the whole request, so that every rule looks at the same one;
//! only a fetch of the request's own replaces it.

use std::cell::RefCell;
use std::rc::Rc;

use serde::Serialize;
use shared::{RevocationList, TokenError, UnixSeconds, UnverifiedToken, ValidToken};

use crate::credentials::CredentialsError;
use crate::decision::{DecisionInput, Fact, ListFact, Missing, Refresh};
use crate::introspection::{Introspection, IntrospectionError};
use crate::list_fetch::ListFetcher;
use crate::list_refresh::{catch_up, fetch_own};
use crate::platform::web_crypto::WebCryptoVerifier;
use crate::platform::{clock, introspect};
use crate::route::Route;
use crate::verified_cache::VerifiedCache;

#[derive(Debug)]
pub struct Evidence<'a> {
    route: Option<&'a Route>,
    credentials: Result<&'a str, CredentialsError>,
    list: Option<RevocationList>,
    refresh: Refresh,
    token: Fact<Result<Rc<ValidToken>, TokenError>>,
    introspection: Fact<Result<Introspection, IntrospectionError>>,
    cache: CacheUse,
}

/// What the cache of verified tokens gave for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheUse {
    /// The decision did not come as far as a signature.
    Unused,
    Hit,
    Miss,
}

impl<'a> Evidence<'a> {
    /// Nothing but what the request itself shows, and the list in memory.
    #[must_use]
    pub fn new(
        route: Option<&'a Route>,
        credentials: Result<&'a str, CredentialsError>,
        list: Option<RevocationList>,
        refresh: Refresh,
    ) -> Self {
        Self {
            route,
            credentials,
            list,
            refresh,
            token: Fact::NotGathered,
            introspection: Fact::NotGathered,
            cache: CacheUse::Unused,
        }
    }

    #[must_use]
    pub fn as_input(&self, now: UnixSeconds) -> DecisionInput<'_> {
        DecisionInput {
            route: self.route,
            credentials: self.credentials,
            list: ListFact {
                list: self.list.as_ref(),
                refresh: self.refresh,
            },
            token: self
                .token
                .as_ref()
                .map(|verdict| verdict.as_deref().map_err(|error| *error)),
            introspection: self
                .introspection
                .as_ref()
                .map(|answer| answer.as_ref().map_err(|e| *e)),
            now,
        }
    }

    pub async fn gather(&mut self, missing: Missing, fetcher: &ListFetcher) {
        match missing {
            Missing::MissedList => {
                catch_up(fetcher).await;
                self.take_list(fetcher, Refresh::IfNeeded);
            }
            Missing::FresherList => {
                fetch_own(fetcher).await;
                self.take_list(fetcher, Refresh::Done);
            }
            Missing::VerifiedToken => {
                let verdict = self.verify_token(fetcher).await;
                self.token = Fact::Known(verdict);
            }
            Missing::Introspection => {
                let answer = self.introspect(fetcher).await;
                self.introspection = Fact::Known(answer);
            }
        }
    }

    /// The token, if it was verified before: nothing has to be awaited for it. Says whether it was.
    pub fn recall_token(&mut self, tokens: &RefCell<VerifiedCache>) -> bool {
        let text = self.credentials.unwrap_or_default();
        let Some(known) = tokens.borrow_mut().recall(text, clock::now()) else {
            return false;
        };
        self.cache = CacheUse::Hit;
        self.token = Fact::Known(Ok(known));
        true
    }

    fn take_list(&mut self, fetcher: &ListFetcher, refresh: Refresh) {
        self.list = fetcher.isolate.lists.borrow().current_list();
        self.refresh = refresh;
    }

    #[must_use]
    pub fn list(&self) -> Option<&RevocationList> {
        self.list.as_ref()
    }

    #[must_use]
    pub fn cache_use(&self) -> CacheUse {
        self.cache
    }

    async fn introspect(&self, fetcher: &ListFetcher) -> Result<Introspection, IntrospectionError> {
        let text = self.credentials.unwrap_or_default();
        let answers = &fetcher.isolate.answers;
        let max_age_secs = self
            .route
            .map_or(0, |route| route.max_introspection_age_secs);
        let asked_at = clock::now();
        let kept = answers.borrow_mut().find(text, max_age_secs, asked_at);
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let answer = introspect::introspect(fetcher.config, text).await?;
        if max_age_secs > 0 {
            answers.borrow_mut().insert(text, &answer, asked_at);
        }
        Ok(answer.introspection)
    }

    async fn verify_token(&mut self, fetcher: &ListFetcher) -> Result<Rc<ValidToken>, TokenError> {
        let text = self.credentials.unwrap_or_default();
        let tokens = &fetcher.isolate.tokens;
        let known = tokens.borrow_mut().find(text, clock::now());
        if let Some(known) = known {
            self.cache = CacheUse::Hit;
            return Ok(known);
        }
        self.cache = CacheUse::Miss;
        let token = Rc::new(verify(text, self.list.as_ref()).await?);
        tokens.borrow_mut().insert(text, Rc::clone(&token));
        Ok(token)
    }
}

/// Parse → signature → claims, by the keys and the policy of the issuer that the token names.
async fn verify(text: &str, list: Option<&RevocationList>) -> Result<ValidToken, TokenError> {
    let token = UnverifiedToken::parse(text)?;
    let issuer = token.unverified_issuer()?;
    let trusted = list
        .and_then(|list| list.issuer(&issuer))
        .ok_or(TokenError::IssuerMismatch)?;
    let signed = token
        .verify_signature(&trusted.keys, &WebCryptoVerifier::Alone)
        .await?;
    signed.validate(&trusted.policy, clock::now())
}

impl<T> Fact<T> {
    fn as_ref(&self) -> Fact<&T> {
        match self {
            Self::NotGathered => Fact::NotGathered,
            Self::Known(value) => Fact::Known(value),
        }
    }

    fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::NotGathered => Fact::NotGathered,
            Self::Known(value) => Fact::Known(change(value)),
        }
    }
}
