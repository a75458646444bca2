//! The HTTP API, resource by resource, on SQLite and on Postgres with Redis. The modules mirror the
//! URLs. Postgres and Redis come from `TEST_DATABASE_URL` and `TEST_REDIS_URL`.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod harness;

mod account_interleavings;
mod accounts;
mod admin_audit;
mod admin_revocations;
mod browsers;
mod canary;
mod client_authentication;
mod client_credentials;
mod clocks;
mod ended_meanwhile;
mod every_event;
mod every_route;
mod forwarded;
mod health;
mod hostile_requests;
mod introspect;
mod limits;
mod limits_kept;
mod login;
mod logout;
mod mail;
mod me;
mod metrics;
mod oauth_conformance;
mod outages;
mod password_change;
mod password_reset;
mod passwords;
mod refresh;
mod refresh_interleavings;
mod register;
mod revocations;
mod revoke;
mod secrets;
mod sessions;
mod token;
mod well_known;
