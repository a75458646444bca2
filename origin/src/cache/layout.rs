//! The names of the keys in Redis. They carry `jti`, `sid` and `sub`, never a token.

use shared::Scope;

/// Holds `{epoch}:{Redis run id}` while Redis is complete.
pub(super) const COMPLETE: &str = "portcullis:complete";
/// Held by the replica that is filling Redis.
pub(super) const REBUILDING: &str = "portcullis:rebuilding";
/// Other replicas hear here that there is something to publish.
pub const WAKE_CHANNEL: &str = "portcullis:wake";

/// One name that can be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub scope: Scope,
    pub name: String,
}

impl Key {
    #[must_use]
    pub fn new(scope: Scope, name: impl Into<String>) -> Self {
        Self {
            scope,
            name: name.into(),
        }
    }

    /// Present: revoked. The value is an ISO time, or a cut-off in Unix seconds.
    pub(super) fn revoked(&self) -> String {
        let prefix = match self.scope {
            Scope::Token => "blacklist",
            Scope::Session => "session_blacklist",
            Scope::User => "user_blacklist",
            Scope::Issuer => "issuer_blacklist",
        };
        format!("{prefix}:{}", self.name)
    }

    /// Present: perhaps revoked, ask the database. A set of the revocations under way.
    pub(super) fn doubt(&self) -> String {
        format!("portcullis:doubt:{}:{}", self.scope.as_str(), self.name)
    }
}
