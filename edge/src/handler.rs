//! One request: gather what the decision needs, decide, apply. The only place where the pure
//! modules and the platform meet for a request.

use serde::Serialize;
use shared::RevocationList;

use crate::config::{Config, Switch};
use crate::credentials::{CredentialSources, CredentialsError, find_token};
use crate::decision::{Decision, DenyReason, Missing, Refresh, decide};
use crate::evidence::{CacheUse, Evidence};
use crate::identity::Identity;
use crate::isolate::Isolate;
use crate::list_fetch::ListFetcher;
use crate::list_refresh::keep_fresh;
use crate::outcome::Outcome;
use crate::platform::call::RequestParts;
use crate::platform::{Call, Inbound, Reply, clock, log, reply, upstream};
use crate::request_target::RequestTarget;
use crate::response::PlainResponse;
use crate::route::{Route, find_route};
use crate::status::{OWN_PREFIX, STATUS_PATH, STATUS_SCOPE, build_status, round_to_millis};

/// Answers any request; there is no error left to answer after this.
pub async fn answer(call: Call) -> Reply {
    let parts = call.request.parts();
    #[cfg(feature = "test-routes")]
    if let Some(reply) = crate::platform::test_routes::answer(&call, &parts).await {
        return reply;
    }
    let isolate = Isolate::current();
    match isolate.config(|| Config::parse(&call.bindings.raw_config())) {
        Ok(config) => {
            Gate {
                isolate,
                config,
                request: &call.request,
                parts: &parts,
            }
            .answer(&call)
            .await
        }
        Err(error) => {
            log::warn(&ConfigLine {
                event: "configuration_invalid",
                variable: error.variable,
                reason: &error.reason,
            });
            Outcome::denied(&DenyReason::Internal).reply
        }
    }
}

/// Answers a request for which everything is at hand: the list, the token verified before, lanes
/// that need nothing. `None` for any other, of which nothing was done or counted: `answer` has it.
#[must_use]
pub fn answer_at_once(request: &Inbound) -> Option<Reply> {
    let isolate = Isolate::current();
    let config = isolate.known_config()?;
    let parts = request.parts();
    #[cfg(feature = "test-routes")]
    crate::platform::test_routes::panic_at_once(&parts);
    Gate {
        isolate,
        config,
        request,
        parts: &parts,
    }
    .answer_at_once()
}

/// One request at a configured edge.
struct Gate<'a> {
    isolate: &'static Isolate,
    config: &'static Config,
    request: &'a Inbound,
    parts: &'a RequestParts,
}

impl Gate<'_> {
    async fn answer(&self, call: &Call) -> Reply {
        let Ok(target) = RequestTarget::parse(self.parts.url()) else {
            let missing = Err(CredentialsError::Missing);
            let evidence = Evidence::new(None, missing, None, Refresh::IfNeeded);
            let outcome = Outcome::denied(&DenyReason::AmbiguousPath);
            return self.finish(None, &evidence, outcome).await;
        };
        let (route, mut evidence) = self.look_at(&target);
        let fetcher = self.fetcher(call);
        let decision = loop {
            match decide(&evidence.as_input(clock::now())) {
                Decision::Gather(missing) => evidence.gather(missing, &fetcher).await,
                decided => break decided,
            }
        };
        keep_fresh(&fetcher, call);
        let outcome = self.apply(decision, &target);
        self.finish(route, &evidence, outcome).await
    }

    /// `None`, with nothing done, where something would have to be awaited or begun in the background.
    fn answer_at_once(&self) -> Option<Reply> {
        if self.config.list_header == Switch::On || !self.is_attended() {
            return None;
        }
        let target = RequestTarget::parse(self.parts.url()).ok()?;
        if target.path.starts_with(OWN_PREFIX) {
            return None;
        }
        let (route, mut evidence) = self.look_at(&target);
        let decision = loop {
            match decide(&evidence.as_input(clock::now())) {
                Decision::Gather(Missing::VerifiedToken) => {
                    if !evidence.recall_token(&self.isolate.tokens) {
                        return None;
                    }
                }
                Decision::Gather(_) => return None,
                decided => break decided,
            }
        };
        if evidence.cache_use() == CacheUse::Hit {
            self.isolate.tokens.borrow_mut().note_hit_at_once();
        }
        let outcome = self.apply(decision, &target);
        outcome.log(self.config.decision_log, route, &evidence);
        Some(outcome.reply)
    }

    /// The rule for the request, and what is known without asking anybody.
    fn look_at<'t>(&'t self, target: &RequestTarget<'t>) -> (Option<&'t Route>, Evidence<'t>) {
        let route = find_route(&self.config.routes, self.parts.method(), &target.path);
        let credentials = find_token(&CredentialSources {
            authorization: self.parts.authorization(),
            cookie: self.parts.cookie(),
            query: target.query,
            method: self.parts.method(),
            url: self.parts.url(),
            fetch_site: self.parts.fetch_site(),
            origin: self.parts.origin(),
            upgrade: self.parts.upgrade(),
        });
        let list = self.isolate.lists.borrow().current_list();
        let evidence = Evidence::new(route, credentials, list, self.refresh());
        (route, evidence)
    }

    fn is_attended(&self) -> bool {
        let lists = self.isolate.lists.borrow();
        let list_iat = lists.current().map(|held| held.list.head().iat);
        let lanes = self.isolate.lanes.borrow();
        lanes.are_attended(self.config.pull_lane, list_iat, clock::now())
    }

    async fn finish(
        &self,
        route: Option<&Route>,
        evidence: &Evidence<'_>,
        outcome: Outcome,
    ) -> Reply {
        outcome.log(self.config.decision_log, route, evidence);
        match (self.config.list_header, evidence.list()) {
            (Switch::On, Some(list)) => show_list(list, outcome.reply).await,
            _ => outcome.reply,
        }
    }

    fn refresh(&self) -> Refresh {
        if self.config.catch_up.is_zero() {
            return Refresh::IfNeeded;
        }
        let lanes = self.isolate.lanes.borrow();
        lanes.refresh(self.config.pull_lane, clock::now())
    }

    fn fetcher(&self, call: &Call) -> ListFetcher {
        ListFetcher {
            isolate: self.isolate,
            config: self.config,
            bindings: call.bindings.clone(),
        }
    }

    fn apply(&self, decision: Decision, target: &RequestTarget<'_>) -> Outcome {
        match decision {
            Decision::Deny(reason) => Outcome::denied(&reason),
            Decision::Forward(identity) if target.path.starts_with(OWN_PREFIX) => {
                self.answer_own(identity.as_ref(), &target.path)
            }
            Decision::Forward(identity) => self.forward(identity.as_ref(), target),
            // The loop that decides ends with another decision.
            Decision::Gather(_) => Outcome::denied(&DenyReason::Internal),
        }
    }

    fn forward(&self, identity: Option<&Identity>, target: &RequestTarget<'_>) -> Outcome {
        let url = format!("{}{}", self.config.upstream_url, target.path_and_query);
        match upstream::send(self.request, &url, identity) {
            Ok(sent) => Outcome::allowed(Reply::Upstream(sent), "forwarded"),
            Err(upstream::UpstreamUnreachable) => Outcome::denied(&DenyReason::UpstreamUnreachable),
        }
    }

    /// What the edge says of itself it says only to operators.
    fn answer_own(&self, identity: Option<&Identity>, path: &str) -> Outcome {
        let Some(identity) = identity else {
            return Outcome::denied(&DenyReason::NotFound);
        };
        if path != STATUS_PATH {
            return Outcome::denied(&DenyReason::NotFound);
        }
        if !identity.has_scope(STATUS_SCOPE) {
            let scope = STATUS_SCOPE.to_owned();
            return Outcome::denied(&DenyReason::InsufficientScope(scope));
        }
        if !matches!(self.parts.method(), "GET" | "HEAD") {
            return Outcome::denied(&DenyReason::MethodNotAllowed);
        }
        let Isolate {
            lists,
            lanes,
            tokens,
            ..
        } = self.isolate;
        let status = build_status(
            &lists.borrow(),
            &lanes.borrow(),
            &tokens.borrow(),
            self.config.pull_lane,
            clock::now(),
        );
        let response = reply::build(&PlainResponse::json(status));
        Outcome::allowed(Reply::Response(response), "status")
    }
}

/// For operators who look at a single answer; off by default.
async fn show_list(list: &RevocationList, reply: Reply) -> Reply {
    let age_secs = round_to_millis(list.age_secs(clock::now()));
    let value = format!("version={}; age_secs={age_secs}", list.version());
    let response = match reply {
        Reply::Response(response) => response,
        Reply::Upstream(sent) => match upstream::receive(sent).await {
            Ok(response) => response,
            Err(upstream::UpstreamUnreachable) => reply::upstream_unreachable(),
        },
    };
    Reply::Response(reply::with_header(response, "portcullis-list", &value))
}

#[derive(Serialize)]
struct ConfigLine<'a> {
    event: &'static str,
    variable: &'static str,
    reason: &'a str,
}
