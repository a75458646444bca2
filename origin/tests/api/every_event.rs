//! Every event that the audit log knows is written by the deed that it is named after. Who adds an event
//! adds its deed here.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use origin::accounts::{self, Deed, RolesChange};
use origin::clients::{self, NewClient};
use origin::grant_type::GrantType;
use origin::keys::rotation::{self, Cause};
use origin::mail;
use origin::store::audit::Event;
use origin::store::mails::Kind;
use origin::store::{self, users};
use serde_json::json;

use crate::harness::{CLIENT_SECRET, Origin, PASSWORD, Tokens, claims, on_both_stores};

const DEED: Deed<'static> = Deed {
    actor: "command-line",
    reason: "a test",
    address: None,
};

/// Of which nobody can say who did it.
const BY_NOBODY_KNOWN: [Event; 3] = [
    Event::LogInFailed,
    Event::PasswordForgotten,
    Event::ClientAuthenticationFailed,
];

on_both_stores! {
    async fn every_event_is_in_the_log_after_its_deed_and_says_who_did_it(origin) {
        let mut log = Log { origin, seen: BTreeSet::new() };
        log_in_and_out(&mut log).await;
        lose_and_change_passwords(&mut log).await;
        act_as_operator(&mut log).await;
        change_clients_and_keys(&mut log).await;
        let rows: Vec<(String, Option<String>)> = sqlx::query_as("SELECT event, actor FROM audit_log")
            .fetch_all(&origin.app.pool)
            .await
            .unwrap();
        let seen: BTreeSet<&str> = rows.iter().map(|(event, _)| event.as_str()).collect();
        let known: BTreeSet<&str> = Event::ALL.iter().map(|event| event.as_str()).collect();
        assert_eq!(seen, known);
        for (event, actor) in &rows {
            let is_known = !BY_NOBODY_KNOWN.iter().any(|there| there.as_str() == event);
            assert_eq!(actor.is_some(), is_known, "{event}");
        }
    }
}

async fn log_in_and_out(log: &mut Log<'_>) {
    let origin = log.origin;
    let one = origin.user("ada@example.org").await;
    log.expect(&[Event::Registered, Event::LoggedIn]).await;
    let wrong = origin.log_in_with("ada@example.org", "wrong").await;
    assert_eq!(wrong.status, 401);
    log.expect(&[Event::LogInFailed]).await;
    origin.post_as("/logout", &one.access).await;
    log.expect(&[Event::LoggedOut]).await;

    let tokens = origin.log_in("ada@example.org").await;
    let other = origin.log_in("ada@example.org").await;
    let path = format!("/sessions/{}", text(&other, "sid"));
    let close = Request::delete(path).header("authorization", format!("Bearer {}", tokens.access));
    let closed = origin.send(close.body(Body::empty()).unwrap()).await;
    assert_eq!(closed.status, 200, "{closed:?}");
    log.expect(&[Event::LoggedIn, Event::SessionClosed]).await;

    let next = Tokens::from(&origin.refresh(&tokens.refresh).await);
    origin.refresh(&next.refresh).await;
    origin.advance(Duration::from_secs(11));
    assert_eq!(
        origin.refresh(&tokens.refresh).await.code(),
        "refresh_token_reused"
    );
    log.expect(&[Event::RefreshTokenReused]).await;

    let tokens = origin.log_in("ada@example.org").await;
    origin.post_as("/logout-all", &tokens.access).await;
    log.expect(&[Event::LoggedIn, Event::LoggedOutEverywhere])
        .await;
    origin.pass_cut_off();
}

async fn lose_and_change_passwords(log: &mut Log<'_>) {
    let origin = log.origin;
    let token = origin.reset_token("ada@example.org").await;
    log.expect(&[Event::PasswordForgotten]).await;
    let body = json!({"token": token, "new_password": PASSWORD});
    assert_eq!(origin.post("/password/reset", &body).await.status, 200);
    log.expect(&[Event::PasswordReset]).await;
    origin.pass_cut_off();

    let tokens = origin.log_in("ada@example.org").await;
    for (current, status, event) in [
        ("wrong", 403, Event::PasswordChangeFailed),
        (PASSWORD, 200, Event::PasswordChanged),
    ] {
        let body = json!({"current_password": current, "new_password": PASSWORD});
        let answer = origin
            .post_json_as("/password/change", &tokens.access, &body)
            .await;
        assert_eq!(answer.status, status, "{answer:?}");
        log.expect(&[event]).await;
    }

    origin.register("bob@example.org").await;
    origin.mails().await;
    // As a registration orders it where addresses are to be confirmed.
    let now = origin::clock::Clock::now(&*origin.clock);
    let mut tx = store::begin(&origin.app.pool).await.unwrap();
    mail::enqueue(&mut tx, Kind::VerifyEmail, "bob@example.org", None, now)
        .await
        .unwrap();
    store::commit(tx).await.unwrap();
    let mails = origin.mails().await;
    let body = json!({"token": mails[0].token().unwrap()});
    assert_eq!(origin.post("/email/verify", &body).await.status, 200);
    log.expect(&[Event::Registered, Event::EmailVerified]).await;
}

async fn act_as_operator(log: &mut Log<'_>) {
    let origin = log.origin;
    let app = &origin.app;
    let operator = origin.operator("op@example.org").await;
    let tokens = origin.user("eve@example.org").await;
    let body = json!({"scope": "session", "name": text(&tokens, "sid"), "reason": "a test"});
    let answer = origin
        .post_json_as("/admin/revocations", &operator.access, &body)
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    log.expect(&[Event::Revoked]).await;

    let id = text(&tokens, "sub");
    let roles = RolesChange {
        add: &["editor".to_owned()],
        remove: &[],
    };
    accounts::change_roles(app, &id, roles, &DEED)
        .await
        .unwrap();
    log.expect(&[Event::RolesChanged]).await;
    let user = users::find(&app.pool, &id).await.unwrap().unwrap();
    accounts::set_password(app, &user, &"another secret of a test".into(), &DEED)
        .await
        .unwrap();
    log.expect(&[Event::PasswordSet]).await;
    accounts::disable(app, &id, &DEED).await.unwrap();
    log.expect(&[Event::UserDisabled]).await;
    accounts::enable(app, &id, &DEED).await.unwrap();
    log.expect(&[Event::UserEnabled]).await;
    accounts::delete(app, &id, &DEED).await.unwrap();
    log.expect(&[Event::UserDeleted]).await;
}

async fn change_clients_and_keys(log: &mut Log<'_>) {
    let origin = log.origin;
    let app = &origin.app;
    let new = NewClient {
        id: "app".to_owned(),
        secret: &"the first secret of it".into(),
        grants: vec![GrantType::ClientCredentials],
        scopes: vec!["profile".to_owned()],
        may_introspect_all: false,
        reason: None,
    };
    clients::create(app, new).await.unwrap();
    log.expect(&[Event::ClientCreated]).await;
    clients::replace_secret(app, "app", &CLIENT_SECRET.into(), None)
        .await
        .unwrap();
    log.expect(&[Event::ClientSecretReplaced]).await;
    for (secret, status, event) in [
        (CLIENT_SECRET, 200, Event::ClientTokenIssued),
        ("wrong", 401, Event::ClientAuthenticationFailed),
    ] {
        let form = [("grant_type", "client_credentials")];
        let answer = origin
            .post_form("/token", Some(("app", secret)), &form)
            .await;
        assert_eq!(answer.status, status, "{answer:?}");
        log.expect(&[event]).await;
    }
    clients::disable(app, "app", "a test").await.unwrap();
    log.expect(&[Event::ClientDisabled]).await;

    let cause = Cause {
        actor: "command-line",
        reason: None,
    };
    let kid = rotation::rotate(app, cause).await.unwrap();
    log.expect(&[Event::KeyRotated]).await;
    rotation::revoke(app, &kid, cause).await.unwrap();
    log.expect(&[Event::KeyRevoked]).await;
}

/// The audit log, and what of it was looked at.
struct Log<'a> {
    origin: &'a Origin,
    seen: BTreeSet<String>,
}

impl Log<'_> {
    /// These are among what was written since it was last asked.
    async fn expect(&mut self, events: &[Event]) {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT id, event FROM audit_log")
            .fetch_all(&self.origin.app.pool)
            .await
            .unwrap();
        let rows = rows.into_iter();
        let new: Vec<_> = rows
            .filter(|(id, _)| self.seen.insert(id.clone()))
            .collect();
        for event in events {
            let is_there = new.iter().any(|(_, there)| there == event.as_str());
            assert!(is_there, "{event:?} is not in {new:?}");
        }
    }
}

fn text(tokens: &Tokens, claim: &str) -> String {
    claims(&tokens.access)[claim].as_str().unwrap().to_owned()
}
