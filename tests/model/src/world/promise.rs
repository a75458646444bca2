//! Requests, and what must hold of every answer.

use edge::decision::{Decision, DenyReason};
use edge::list_cache::Lane;
use shared::{LEEWAY_SECS, ListError, TokenError, UnixSeconds};

use super::{Broken, World};
use crate::isolate::{Isolate, Outside};
use crate::operation::{MOST_AHEAD_MILLIS, Operation};
use crate::origin::HEARTBEAT_SECS;
use crate::truth::{Revocation, Token};

impl World {
    pub(super) fn with_isolate<T>(
        &mut self,
        place: usize,
        act: impl FnOnce(&mut Isolate, Outside<'_>) -> T,
    ) -> T {
        let outside = Outside {
            origin: &self.origin,
            kv: &self.kv,
            pins: &self.pins,
            now: self.now,
            replicas_now: self.replicas_now(),
        };
        act(&mut self.isolates[place], outside)
    }

    pub(super) fn request(
        &mut self,
        isolate: usize,
        token: usize,
        route: usize,
    ) -> Result<(), Broken> {
        let Some(token) = self.truth.find_token(token).cloned() else {
            return Ok(());
        };
        let place = isolate % self.isolates.len();
        let decision = self.ask(place, &token, route);
        self.judge(&token, &decision)
    }

    fn ask(&mut self, place: usize, token: &Token, route: usize) -> Decision {
        let route = self.routes[route % self.routes.len()].clone();
        let before = self.isolates[place].asked;
        let decision = self.with_isolate(place, |isolate, outside| {
            isolate.answer(&token.text, &route, outside)
        });
        let after = self.isolates[place].asked;
        self.reached.asked_the_origin += after.origin - before.origin;
        self.reached.asked_nobody_again += after.nobody_again - before.nobody_again;
        decision
    }

    /// No token passes after its receipt's `effective_by`; none is refused as revoked that is not, or
    /// for a key that edges do not have yet.
    fn judge(&mut self, token: &Token, decision: &Decision) -> Result<(), Broken> {
        let now = self.now;
        let bound = self.bound_of(token);
        match decision {
            Decision::Forward(_) => match bound {
                Some(bound) if now >= bound => {
                    return Err(format!(
                        "{} passed at {now}, promised to end by {bound}",
                        token.jti
                    ));
                }
                Some(_) => self.reached.passed_in_time += 1,
                None => self.reached.forwarded += 1,
            },
            Decision::Deny(DenyReason::Revoked(_)) => {
                if self.truth.revocations_of(token).next().is_none() {
                    return Err(format!("{} was refused as revoked and is not", token.jti));
                }
                self.reached.refused_as_revoked += 1;
            }
            Decision::Deny(DenyReason::NotActive) => {
                if bound.is_none() && !self.may_be_over(token) {
                    return Err(format!("{} is not active, and nobody ended it", token.jti));
                }
            }
            Decision::Deny(DenyReason::Token(TokenError::UnknownKey)) => {
                if self.truth.revoked_key_of(token).is_some() {
                    self.reached.refused_for_its_key += 1;
                } else if !self.may_be_over(token) && !self.truth.hurried_keys.contains(&token.kid)
                {
                    return Err(format!("{} was refused for a key that is good", token.jti));
                }
            }
            Decision::Deny(DenyReason::List(_)) => self.reached.refused_without_list += 1,
            Decision::Deny(_) | Decision::Gather(_) => {}
        }
        Ok(())
    }

    /// How long the token may still pass, if it or its key is revoked.
    pub(super) fn millis_to_bound(&self, token: usize) -> Option<u64> {
        let bound = self.bound_of(self.truth.find_token(token)?)?;
        Some(bound.as_millis().saturating_sub(self.now.as_millis()))
    }

    fn bound_of(&self, token: &Token) -> Option<UnixSeconds> {
        let revocations = self.truth.revocations_of(token);
        let key = self.truth.revoked_key_of(token).map(|key| {
            let end = self.origin.end_of_lists_with_key(&key.kid);
            end.map_or(key.effective_by, |end| end.max(key.recorded_at))
        });
        revocations
            .map(|revocation| self.bound(revocation))
            .chain(key)
            .min()
    }

    /// By the clock of some replica.
    fn may_be_over(&self, token: &Token) -> bool {
        let latest = UnixSeconds::from_millis(self.now.as_millis() + MOST_AHEAD_MILLIS);
        latest >= token.exp
    }

    /// What the receipt says by now: at first a forecast, and a fact once the revocation is in a list.
    fn bound(&self, revocation: &Revocation) -> UnixSeconds {
        let end = self.origin.end_of_lists_without(revocation.row);
        end.map_or(revocation.effective_by, |end| {
            end.max(revocation.recorded_at)
        })
    }

    /// Versions never go back, and a version means one head everywhere.
    pub(super) fn look_at_isolates(&mut self) -> Result<(), Broken> {
        for (isolate, seen) in self.isolates.iter().zip(&mut self.versions) {
            let version = isolate.version();
            if version < *seen {
                return Err(format!("an isolate went back from {seen} to {version}"));
            }
            *seen = version;
            let held = isolate.list().map(|list| list.head().clone());
            if held.as_ref() != self.heads.get(&version) {
                return Err(format!(
                    "an isolate holds another head of {version} than was published"
                ));
            }
            if isolate.count_of(ListError::VersionConflict) > 0 {
                return Err("an isolate was offered two heads of one version".to_owned());
            }
        }
        Ok(())
    }

    /// Everything is up again; a heartbeat and a request later every isolate says of every token what
    /// the origin would.
    pub fn settle(&mut self) -> Result<(), Broken> {
        self.kv.recover();
        self.ahead_millis = [0; _];
        for isolate in &mut self.isolates {
            isolate.mend(Lane::Kv);
            isolate.mend(Lane::Pull);
        }
        self.take(Operation::StartPublisher)?;
        self.reconcile();
        self.advance(HEARTBEAT_SECS * 1000);
        self.log_in(0);
        self.reached.keys_retired += self.origin.keys.retired();
        let tokens = self.truth.tokens.clone();
        for place in 0..self.isolates.len() {
            self.ask(place, &tokens[0], 0);
            for token in &tokens {
                let decision = self.ask(place, token, 0);
                self.agree(token, &decision)?;
            }
        }
        self.look_at_isolates()
    }

    fn agree(&mut self, token: &Token, decision: &Decision) -> Result<(), Broken> {
        self.judge(token, decision)?;
        let is_over = self.now >= token.exp.plus_secs(LEEWAY_SECS);
        let is_key_gone = self.truth.revoked_key_of(token).is_some();
        let is_revoked = self.truth.revocations_of(token).next().is_some();
        let agrees = match decision {
            Decision::Forward(_) => !is_over && !is_revoked && !is_key_gone,
            Decision::Deny(DenyReason::Revoked(_)) => !is_over && is_revoked && !is_key_gone,
            Decision::Deny(DenyReason::Token(_)) => is_over || is_key_gone,
            _ => false,
        };
        if agrees {
            Ok(())
        } else {
            Err(format!("all is up, and {} gets {decision:?}", token.jti))
        }
    }
}
