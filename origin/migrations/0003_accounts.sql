-- Mail, the tokens that travel in it, and an audit log that can be asked. One text for PostgreSQL
-- and SQLite; times are Unix milliseconds.

-- Mail to be sent: an order to write it, not its text. What is secret in a mail is made when it is
-- sent, and lies here at no time. `next_attempt_at` is also the end of the lease of whoever sends
-- it now; a row with an `outcome` is over.
CREATE TABLE mails (
    id              TEXT PRIMARY KEY,
    kind            TEXT NOT NULL,
    recipient       TEXT,
    cause_address   TEXT,
    created_at      BIGINT NOT NULL,
    give_up_at      BIGINT NOT NULL,
    attempts        BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT NOT NULL,
    last_error      TEXT,
    outcome         TEXT,
    ended_at        BIGINT
);
CREATE INDEX mails_waiting ON mails (next_attempt_at) WHERE outcome IS NULL;
CREATE INDEX mails_by_time ON mails (created_at, id);

-- At most one token for each purpose of a user: a new one takes the place of the old one.
CREATE TABLE mailed_tokens (
    purpose    TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    hash       BYTEA NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (purpose, user_id)
);
CREATE INDEX mailed_tokens_by_end ON mailed_tokens (expires_at);

CREATE INDEX users_by_time ON users (created_at, id);

-- The revocation that an event made, so that `subject` can say whom or what the event is about.
ALTER TABLE audit_log ADD COLUMN revocation_id TEXT;
DROP INDEX audit_log_by_time;
CREATE INDEX audit_log_by_time ON audit_log (at, id);
CREATE INDEX audit_log_by_subject ON audit_log (subject, at);
CREATE INDEX audit_log_by_actor ON audit_log (actor, at);
