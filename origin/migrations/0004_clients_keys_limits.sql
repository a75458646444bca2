-- When a client was last given a token: what a cut-off of the client's own tokens must lie after.
ALTER TABLE clients ADD COLUMN last_token_at BIGINT;

-- The public halves of the keys that sign tokens; the private ones are in the replicas' data folders
-- or settings. A row that is neither revoked nor retired is in every list and in the JWKS.
-- `version` is the first list that says what the row says now: NULL, none does yet. `signs_from` is
-- when every edge has the key, NULL until the first list that carries it. `last_signed_at` is noted
-- each minute by every replica that signs with it.
CREATE TABLE token_keys (
    kid            TEXT PRIMARY KEY,
    public_jwk     TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    version        BIGINT,
    signs_from     BIGINT,
    last_signed_at BIGINT,
    revoked_at     BIGINT,
    retired_at     BIGINT
);
CREATE INDEX token_keys_unlisted ON token_keys (created_at) WHERE version IS NULL;

-- Attempts under way, and how often the window has doubled.
ALTER TABLE limits ADD COLUMN pending BIGINT NOT NULL DEFAULT 0;
ALTER TABLE limits ADD COLUMN doublings BIGINT NOT NULL DEFAULT 0;
