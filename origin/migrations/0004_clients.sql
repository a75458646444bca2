-- When a client was last given a token: what a cut-off of the client's own tokens must lie after.
ALTER TABLE clients ADD COLUMN last_token_at BIGINT;
