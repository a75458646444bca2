"""What the benchmark tells the service, all of it by environment variables."""

import os

DATABASE_URL = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+asyncpg://", 1)
REDIS_URL = os.environ["REDIS_URL"]
SECRET_KEY = os.environ["SECRET_KEY"]
POOL_SIZE = int(os.environ["POOL_SIZE"])

ISSUER = "http://peer.invalid"
AUDIENCE = "peer"
ACCESS_TOKEN_SECS = 3600
REFRESH_TOKEN_SECS = 30 * 24 * 3600
# OWASP's least for bcrypt, as our own Argon2id is OWASP's least for Argon2id.
BCRYPT_ROUNDS = 10
