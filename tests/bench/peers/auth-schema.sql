-- What the peers keep, in Postgres. The names of tables and columns that the benchmark fills are
-- those of the origin: users (id, email), sessions (sid, user_id), refresh_tokens (hash, sid).

CREATE TABLE users (
    id            text PRIMARY KEY,
    email         text NOT NULL UNIQUE,
    name          text,
    password_hash text NOT NULL,
    roles         text NOT NULL DEFAULT '',
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
    sid          text PRIMARY KEY,
    user_id      text NOT NULL REFERENCES users (id),
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE refresh_tokens (
    hash       bytea PRIMARY KEY,
    sid        text NOT NULL REFERENCES sessions (sid),
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz
);

CREATE TABLE revocations (
    id          text PRIMARY KEY,
    sid         text NOT NULL,
    jti         text NOT NULL,
    user_id     text NOT NULL,
    reason      text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE clients (
    id          text PRIMARY KEY,
    secret_hash bytea NOT NULL
);
