-- From where the owner last set a new password with a mailed token: an address as good as one of a session, which
-- failures of strangers do not close the account to. NULL: never.
ALTER TABLE users ADD COLUMN proven_address TEXT;
