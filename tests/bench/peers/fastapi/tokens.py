"""Access tokens, made and checked with python-jose, and the blacklist in Redis."""

import secrets
import time

import redis.asyncio
from fastapi import HTTPException, Request
from jose import JWTError, jwt

import settings

ALGORITHM = "HS256"
REQUIRED = {f"require_{claim}": True for claim in ("exp", "iat", "sub", "jti", "aud", "iss")}

store = redis.asyncio.from_url(settings.REDIS_URL, decode_responses=True)


def issue(user, sid: str) -> str:
    now = int(time.time())
    claims = {
        "iss": settings.ISSUER,
        "aud": settings.AUDIENCE,
        "sub": user.id,
        "sid": sid,
        "jti": secrets.token_urlsafe(16),
        "iat": now,
        "exp": now + settings.ACCESS_TOKEN_SECS,
        "email": user.email,
        "roles": user.roles.split(),
    }
    return jwt.encode(claims, settings.SECRET_KEY, algorithm=ALGORITHM)


async def find_active(token: str) -> dict | None:
    """The claims of a token that is genuine, alive and not on the blacklist."""
    try:
        claims = jwt.decode(
            token,
            settings.SECRET_KEY,
            algorithms=[ALGORITHM],
            audience=settings.AUDIENCE,
            issuer=settings.ISSUER,
            options=REQUIRED,
        )
    except JWTError:
        return None
    listed = await store.mget(
        f"blacklist:{claims['jti']}",
        f"session_blacklist:{claims['sid']}",
        f"user_blacklist:{claims['sub']}",
    )
    return None if any(listed) else claims


async def bearer(request: Request) -> dict:
    """A dependency: the claims of the request's token, or 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    claims = await find_active(token) if scheme.lower() == "bearer" else None
    if claims is None:
        raise HTTPException(401, "invalid_token", {"WWW-Authenticate": "Bearer"})
    return claims


async def blacklist(claims: dict) -> None:
    """Until the token would have ended by itself."""
    life_secs = max(1, claims["exp"] - int(time.time()))
    pipe = store.pipeline(transaction=False)
    pipe.set(f"blacklist:{claims['jti']}", "1", ex=life_secs)
    pipe.set(f"session_blacklist:{claims['sid']}", "1", ex=settings.ACCESS_TOKEN_SECS)
    await pipe.execute()
