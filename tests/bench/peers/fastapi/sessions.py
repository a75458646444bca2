"""Sessions in Postgres: begun, carried on by a refresh token that is used once, ended."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from fastapi import HTTPException
from sqlalchemy import bindparam, func, insert, select, update

import settings
from tables import engine, refresh_tokens, revocations, sessions, users

FIND_FOR_REFRESH = (
    select(
        refresh_tokens.c.used_at,
        sessions.c.sid,
        sessions.c.revoked_at,
        sessions.c.expires_at,
        users.c.id,
        users.c.email,
        users.c.roles,
        users.c.disabled_at,
    )
    .join(sessions, sessions.c.sid == refresh_tokens.c.sid)
    .join(users, users.c.id == sessions.c.user_id)
    .where(refresh_tokens.c.hash == bindparam("presented"))
    .with_for_update(of=sessions)
)
USE_UP = (
    update(refresh_tokens)
    .where(refresh_tokens.c.hash == bindparam("presented"))
    .values(used_at=func.now())
)
SEEN = (
    update(sessions).where(sessions.c.sid == bindparam("seen")).values(last_seen_at=func.now())
)
CLOSE = update(sessions).where(sessions.c.sid == bindparam("closed")).values(revoked_at=func.now())
INSERT_REVOCATION = insert(revocations)
INSERT_SESSION = insert(sessions)
INSERT_TOKEN = insert(refresh_tokens)


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def begin(user) -> tuple[str, str]:
    """A new session: its id and its first refresh token."""
    sid, token = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
    expires_at = datetime.now(UTC) + timedelta(seconds=settings.REFRESH_TOKEN_SECS)
    async with engine.begin() as db:
        session = {"sid": sid, "user_id": user.id, "expires_at": expires_at}
        await db.execute(INSERT_SESSION, session)
        await db.execute(INSERT_TOKEN, {"hash": token_hash(token), "sid": sid})
    return sid, token


async def rotate(presented: str) -> tuple[object, str]:
    """The session with its user, and the next refresh token, in one transaction."""
    hashed, token = token_hash(presented), secrets.token_urlsafe(32)
    async with engine.begin() as db:
        found = (await db.execute(FIND_FOR_REFRESH, {"presented": hashed})).first()
        if found is None or found.revoked_at or found.disabled_at:
            raise HTTPException(401, "invalid_grant")
        if found.expires_at <= datetime.now(UTC):
            raise HTTPException(401, "invalid_grant")
        if found.used_at is None:
            await db.execute(USE_UP, {"presented": hashed})
            await db.execute(INSERT_TOKEN, {"hash": token_hash(token), "sid": found.sid})
            await db.execute(SEEN, {"seen": found.sid})
            return found, token
        # Used twice: whoever else holds it is out as well.
        await db.execute(CLOSE, {"closed": found.sid})
    raise HTTPException(401, "invalid_grant")


async def end(claims: dict) -> str:
    """Closes the session and records why."""
    revocation = secrets.token_urlsafe(16)
    row = {
        "id": revocation,
        "sid": claims["sid"],
        "jti": claims["jti"],
        "user_id": claims["sub"],
        "reason": "logout",
    }
    async with engine.begin() as db:
        await db.execute(CLOSE, {"closed": claims["sid"]})
        await db.execute(INSERT_REVOCATION, row)
    return revocation
