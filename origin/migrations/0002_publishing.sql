-- What was published and what is in the newest list. One text for PostgreSQL and SQLite; times are
-- Unix milliseconds.

-- One row a head. The receipts of revocations are read from here: `delivered_at` is when KV held
-- this head or a newer one, `seen_at_edge_at` when an edge first said that it holds one as new.
-- `predecessors_end_at` is the last moment at which any edge may still use a list older than this.
CREATE TABLE list_heads (
    version             BIGINT PRIMARY KEY,
    issued_at           BIGINT NOT NULL,
    expires_at          BIGINT NOT NULL,
    grace_secs          BIGINT NOT NULL,
    head                TEXT NOT NULL,
    tail_epoch          BIGINT NOT NULL,
    tail_bytes          BIGINT NOT NULL,
    predecessors_end_at BIGINT NOT NULL,
    delivered_at        BIGINT,
    seen_at_edge_at     BIGINT
);
CREATE INDEX list_heads_by_time ON list_heads (issued_at);
CREATE INDEX list_heads_by_epoch ON list_heads (tail_epoch, version);
CREATE INDEX list_heads_undelivered ON list_heads (version) WHERE delivered_at IS NULL;
CREATE INDEX list_heads_unseen ON list_heads (version) WHERE seen_at_edge_at IS NULL;

-- The tail of the newest head. An epoch begins empty and only grows, so a head needs only a length.
-- `retain_until` is that of the entry that must be remembered longest.
CREATE TABLE list_tails (
    epoch        BIGINT PRIMARY KEY,
    bytes        BYTEA NOT NULL,
    started_at   BIGINT NOT NULL,
    retain_until BIGINT NOT NULL
);

-- Sealed tails (level 0) and what they were merged into. A retired segment is in no new head, but
-- is still served to edges that hold an older one.
CREATE TABLE list_segments (
    sha256       TEXT PRIMARY KEY,
    level        BIGINT NOT NULL,
    count        BIGINT NOT NULL,
    retain_until BIGINT NOT NULL,
    bytes        BYTEA NOT NULL,
    sealed_at    BIGINT NOT NULL,
    delivered_at BIGINT,
    retired_at   BIGINT
);
CREATE INDEX list_segments_live ON list_segments (sealed_at) WHERE retired_at IS NULL;

-- Who may publish. `fence` grows with every change of holder, `beat` with every sign of life.
CREATE TABLE publisher_lease (
    id     BIGINT PRIMARY KEY,
    holder TEXT NOT NULL,
    fence  BIGINT NOT NULL,
    beat   BIGINT NOT NULL
);
INSERT INTO publisher_lease (id, holder, fence, beat) VALUES (1, '', 0, 0);
