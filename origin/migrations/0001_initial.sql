-- Accounts, sessions and revocations. One text for PostgreSQL and SQLite, hence only TEXT, BIGINT
-- and BYTEA: times are Unix milliseconds, except `revocations.before`, which is compared with a
-- token's `iat` and so is in whole seconds.

CREATE TABLE users (
    id                TEXT PRIMARY KEY,
    email             TEXT NOT NULL UNIQUE,
    email_verified_at BIGINT,
    name              TEXT,
    password_hash     TEXT NOT NULL,
    roles             TEXT NOT NULL DEFAULT '',
    disabled_at       BIGINT,
    last_login_at     BIGINT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL
);

CREATE TABLE sessions (
    sid          TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL,
    client_id    TEXT NOT NULL,
    scope        TEXT NOT NULL,
    user_agent   TEXT,
    address      TEXT,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    revoked_at   BIGINT
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- `successor_sealed` is encrypted with a key derived from the token whose hash is `hash`, so only
-- someone who holds that token can be shown its successor again.
CREATE TABLE refresh_tokens (
    hash             BYTEA PRIMARY KEY,
    sid              TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    used_at          BIGINT,
    successor_hash   BYTEA,
    successor_sealed BYTEA
);
CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at);

-- The table is its own outbox: a row without a `version` is in no published list yet.
CREATE TABLE revocations (
    id           TEXT PRIMARY KEY,
    scope        TEXT NOT NULL,
    issuer       TEXT NOT NULL,
    name         TEXT NOT NULL,
    before       BIGINT,
    reason       TEXT NOT NULL,
    actor        TEXT NOT NULL,
    recorded_at  BIGINT NOT NULL,
    retain_until BIGINT NOT NULL,
    cached_at    BIGINT,
    position     BIGINT,
    version      BIGINT
);
CREATE INDEX revocations_by_name ON revocations (name, scope);
CREATE INDEX revocations_by_end ON revocations (retain_until);
CREATE INDEX revocations_by_position ON revocations (position);
CREATE INDEX revocations_by_time ON revocations (recorded_at);
CREATE INDEX revocations_unpublished ON revocations (recorded_at, id) WHERE version IS NULL;
CREATE INDEX revocations_uncached ON revocations (recorded_at) WHERE cached_at IS NULL;

CREATE TABLE clients (
    id                 TEXT PRIMARY KEY,
    secret_hash        TEXT NOT NULL,
    grants             TEXT NOT NULL,
    scopes             TEXT NOT NULL,
    may_introspect_all BIGINT NOT NULL DEFAULT 0,
    created_at         BIGINT NOT NULL,
    disabled_at        BIGINT
);

CREATE TABLE audit_log (
    id      TEXT PRIMARY KEY,
    at      BIGINT NOT NULL,
    event   TEXT NOT NULL,
    actor   TEXT,
    subject TEXT,
    address TEXT,
    detail  TEXT
);
CREATE INDEX audit_log_by_time ON audit_log (at);

-- Counters of failed attempts, where there is no Redis to keep them.
CREATE TABLE limits (
    key               TEXT PRIMARY KEY,
    count             BIGINT NOT NULL,
    window_started_at BIGINT NOT NULL
);

-- Redis may be believed only while its marker carries this number (see `cache`).
CREATE TABLE cache_state (
    id    BIGINT PRIMARY KEY,
    epoch BIGINT NOT NULL
);
INSERT INTO cache_state (id, epoch) VALUES (1, 1);
