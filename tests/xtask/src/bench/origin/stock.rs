//! What a load has to ask with: requests to be sent again and again, requests that can be sent once,
//! or refresh tokens, each of which an answer replaces by the next.

use std::collections::VecDeque;

use anyhow::Context;
use serde::Deserialize;

use super::route;

#[derive(Debug)]
pub(super) enum Stock {
    InTurn(VecDeque<Vec<u8>>),
    Once(VecDeque<Vec<u8>>),
    /// Refresh tokens not yet used.
    Rotating(VecDeque<String>),
}

/// What `/login` and `/refresh` give.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Pair {
    pub(super) access_token: String,
    pub(super) refresh_token: String,
}

impl Pair {
    pub(super) fn parse(body: &[u8]) -> anyhow::Result<Self> {
        serde_json::from_slice(body).context("an answer without tokens")
    }
}

impl Stock {
    /// The next request; `None`: the stock is used up.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::InTurn(requests) | Self::Once(requests) => requests.pop_front(),
            Self::Rotating(tokens) => tokens.pop_front().map(|token| route::refresh(&token)),
        }
    }

    /// `request` was answered with `body`.
    pub(super) fn put_back(&mut self, request: Vec<u8>, body: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::InTurn(requests) => requests.push_back(request),
            Self::Once(_) => {}
            Self::Rotating(tokens) => tokens.push_back(Pair::parse(body)?.refresh_token),
        }
        Ok(())
    }
}
