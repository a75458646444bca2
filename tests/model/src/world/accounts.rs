//! What the replica that acts does for users and operators, and what the world remembers of it. A
//! replica dates by its own clock.

use shared::{LEEWAY_SECS, Scope, UnixSeconds};

use super::{CROWD, CROWD_MILLIS, World};
use crate::operation::USERS;
use crate::origin::{ISSUER, Order};
use crate::truth::{Revocation, RevokedKey, subject};

/// The longest that a log-in waits for a cut-off.
const MOST_WAIT_SECS: u64 = LEEWAY_SECS + 2;

/// A row of `sessions`.
#[derive(Debug)]
pub(super) struct Session {
    sid: String,
    user: usize,
    began_at: UnixSeconds,
    /// When its last token was made, by the clock of whoever made it.
    last_token_at: UnixSeconds,
    is_open: bool,
}

/// The rows that log-ins look at.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    sessions: Vec<Session>,
    user_cut_offs: [u64; USERS],
    issuer_cut_off: u64,
}

impl Accounts {
    fn open(&mut self, sid: &str) -> Option<&mut Session> {
        let mut sessions = self.sessions.iter_mut();
        sessions.find(|session| session.is_open && session.sid == sid)
    }

    fn of_user(&mut self, user: usize) -> impl Iterator<Item = &mut Session> {
        let sessions = self.sessions.iter_mut();
        sessions.filter(move |session| session.user == user)
    }

    /// As `revocation::cut_off` counts it: closed sessions count.
    fn second_after(&self, user: Option<usize>, now: UnixSeconds) -> u64 {
        let sessions = self.sessions.iter();
        let theirs = sessions.filter(|session| user.is_none_or(|user| session.user == user));
        let last = theirs.map(|session| session.last_token_at);
        last.fold(now, UnixSeconds::max).as_secs() + 1
    }
}

impl World {
    pub(super) fn log_in(&mut self, user: usize) {
        if !self.waits_for_cut_off(user) {
            return;
        }
        let (sid, now) = (self.new_id("session"), self.replicas_now());
        self.accounts.sessions.push(Session {
            sid: sid.clone(),
            user,
            began_at: now,
            last_token_at: now,
            is_open: true,
        });
        self.issue(user, &sid);
    }

    pub(super) fn refresh(&mut self, token: usize) {
        let Some(token) = self.truth.find_token(token).cloned() else {
            return;
        };
        if !self.waits_for_cut_off(token.user) {
            return;
        }
        let now = self.replicas_now();
        if let Some(session) = self.accounts.open(&token.sid) {
            session.last_token_at = session.last_token_at.max(now);
            self.issue(token.user, &token.sid);
        }
    }

    fn issue(&mut self, user: usize, sid: &str) {
        let jti = self.new_id("token");
        let Some(token) = self.origin.issue(user, sid, &jti, self.replicas_now()) else {
            return;
        };
        let last = self.truth.tokens.last();
        let is_by_another = last.is_some_and(|last| last.kid != token.kid);
        self.reached.signed_by_another += u64::from(is_by_another);
        self.truth.tokens.push(token);
    }

    /// A token is dated in whole seconds: one that would fall before a cut-off waits for its second.
    /// False where that is too far ahead.
    fn waits_for_cut_off(&mut self, user: usize) -> bool {
        let cut_off = self.accounts.user_cut_offs[user].max(self.accounts.issuer_cut_off);
        let now = self.replicas_now();
        if cut_off > now.as_secs() + MOST_WAIT_SECS {
            return false;
        }
        if cut_off > now.as_secs() {
            self.advance(cut_off * 1000 - now.as_millis());
        }
        true
    }

    pub(super) fn log_out(&mut self, token: usize) {
        let Some(sid) = self.truth.find_token(token).map(|token| token.sid.clone()) else {
            return;
        };
        if let Some(session) = self.accounts.open(&sid) {
            session.is_open = false;
            let last_token_at = session.last_token_at;
            self.record(Scope::Session, &sid, None, last_token_at);
        }
    }

    pub(super) fn log_out_all(&mut self, user: usize) {
        self.accounts
            .of_user(user)
            .for_each(|session| session.is_open = false);
        let before_secs = self.accounts.second_after(Some(user), self.replicas_now());
        self.cut_off(user, before_secs);
    }

    pub(super) fn cut_off_user(&mut self, user: usize, secs_ago: u64) {
        let before = self.replicas_now().minus_secs(secs_ago);
        self.accounts
            .of_user(user)
            .filter(|session| session.began_at < before)
            .for_each(|session| session.is_open = false);
        self.cut_off(user, before.as_millis().div_ceil(1000));
    }

    fn cut_off(&mut self, user: usize, before_secs: u64) {
        let known = &mut self.accounts.user_cut_offs[user];
        *known = before_secs.max(*known);
        let last_token_at = UnixSeconds::from_secs(before_secs);
        self.record(
            Scope::User,
            &subject(user),
            Some(before_secs),
            last_token_at,
        );
    }

    pub(super) fn revoke_token(&mut self, token: usize) {
        if let Some(jti) = self.truth.find_token(token).map(|token| token.jti.clone()) {
            // Nothing is known of it but that it is accepted.
            let last_token_at = self.replicas_now().plus_secs(LEEWAY_SECS);
            self.record(Scope::Token, &jti, None, last_token_at);
        }
    }

    pub(super) fn revoke_issuer(&mut self) {
        let before_secs = self.accounts.second_after(None, self.replicas_now());
        let known = self.accounts.issuer_cut_off;
        self.accounts.issuer_cut_off = before_secs.max(known);
        let last_token_at = UnixSeconds::from_secs(before_secs);
        self.record(Scope::Issuer, ISSUER, Some(before_secs), last_token_at);
    }

    pub(super) fn revoke_key(&mut self, number: usize) {
        let recorded_at = self.replicas_now();
        let Some(revoked) = self.origin.keys.revoke(number, recorded_at) else {
            return;
        };
        self.truth.hurried_keys.extend(revoked.hurried);
        self.truth.revoked_keys.push(RevokedKey {
            kid: revoked.kid,
            recorded_at,
            effective_by: self.origin.effective_by(recorded_at),
        });
    }

    fn record(
        &mut self,
        scope: Scope,
        name: &str,
        before_secs: Option<u64>,
        last_token_at: UnixSeconds,
    ) {
        let recorded_at = self.replicas_now();
        let recorded = self.origin.record(Order {
            scope,
            name,
            before_secs,
            last_token_at: last_token_at.max(recorded_at),
            recorded_at,
        });
        self.truth.revocations.push(Revocation {
            row: recorded.row,
            scope,
            name: name.to_owned(),
            before_secs,
            recorded_at,
            effective_by: recorded.effective_by,
        });
    }

    pub(super) fn crowd(&mut self) {
        let now = self.replicas_now();
        for _ in 0..CROWD {
            let stranger = self.new_id("stranger");
            self.origin.record(Order {
                scope: Scope::Session,
                name: &stranger,
                before_secs: None,
                last_token_at: now,
                recorded_at: now,
            });
        }
        self.advance(CROWD_MILLIS);
    }

    fn new_id(&mut self, what: &str) -> String {
        self.ids += 1;
        format!("{what}-{}", self.ids)
    }
}
