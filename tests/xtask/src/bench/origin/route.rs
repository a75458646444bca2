//! The measured routes, and the bytes that ask for each: written once, before the clock runs.

use std::fmt;

use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Route {
    Me,
    Introspect,
    Refresh,
    Logout,
    Login,
}

/// The client that introspects.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
}

impl Route {
    pub(super) const ALL: [Self; 5] = [
        Self::Me,
        Self::Introspect,
        Self::Refresh,
        Self::Logout,
        Self::Login,
    ];

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Me => "/me",
            Self::Introspect => "/introspect",
            Self::Refresh => "/refresh",
            Self::Logout => "/logout",
            Self::Login => "/login",
        }
    }

    /// Hashing fills both cores, so more of them only wait for each other.
    pub(super) fn connections(self) -> usize {
        match self {
            Self::Login => 4,
            Self::Me | Self::Introspect | Self::Refresh | Self::Logout => 16,
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

pub(super) fn me(access_token: &str) -> Vec<u8> {
    format!("GET /me HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {access_token}\r\n\r\n")
        .into()
}

pub(super) fn log_out(access_token: &str) -> Vec<u8> {
    format!(
        "POST /logout HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {access_token}\r\n\
         content-length: 0\r\n\r\n"
    )
    .into()
}

pub(super) fn introspect(client: &Client, access_token: &str) -> Vec<u8> {
    let Client { id, secret } = client;
    post(
        Route::Introspect.path(),
        "application/x-www-form-urlencoded",
        &format!("token={access_token}&client_id={id}&client_secret={secret}"),
    )
}

pub(super) fn refresh(refresh_token: &str) -> Vec<u8> {
    post_json(
        Route::Refresh.path(),
        &json!({ "refresh_token": refresh_token }),
    )
}

pub(super) fn log_in(email: &str, password: &str) -> Vec<u8> {
    let body = json!({ "email": email, "password": password });
    post_json(Route::Login.path(), &body)
}

fn post_json(path: &str, body: &Value) -> Vec<u8> {
    post(path, "application/json", &body.to_string())
}

fn post(path: &str, content_type: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: {content_type}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into()
}
