"""The tables of `auth-schema.sql`. Statements are built from them once, when the module is loaded."""

from sqlalchemy import Column, DateTime, LargeBinary, MetaData, Table, Text, func
from sqlalchemy.ext.asyncio import create_async_engine

import settings

# A connection waits in the pool with its statements prepared; it is not tested before each use.
engine = create_async_engine(settings.DATABASE_URL, pool_size=settings.POOL_SIZE, max_overflow=0)
# For single reads: no BEGIN and no ROLLBACK around them.
reading = engine.execution_options(isolation_level="AUTOCOMMIT")

metadata = MetaData()
time = DateTime(timezone=True)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text),
    Column("name", Text),
    Column("password_hash", Text),
    Column("roles", Text, server_default=""),
    Column("disabled_at", time),
    Column("created_at", time, server_default=func.now()),
)
sessions = Table(
    "sessions",
    metadata,
    Column("sid", Text, primary_key=True),
    Column("user_id", Text),
    Column("last_seen_at", time, server_default=func.now()),
    Column("expires_at", time),
    Column("revoked_at", time),
)
refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("sid", Text),
    Column("used_at", time),
)
revocations = Table(
    "revocations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sid", Text),
    Column("jti", Text),
    Column("user_id", Text),
    Column("reason", Text),
)
clients = Table(
    "clients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret_hash", LargeBinary),
)
