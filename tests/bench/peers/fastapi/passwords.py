"""bcrypt, on threads: it lets go of the interpreter's lock while it works."""

import bcrypt
from starlette.concurrency import run_in_threadpool

import settings


async def hash_password(password: str) -> str:
    salt = bcrypt.gensalt(settings.BCRYPT_ROUNDS)
    return (await run_in_threadpool(bcrypt.hashpw, password.encode(), salt)).decode()


async def is_right(password: str, hashed: str) -> bool:
    return await run_in_threadpool(bcrypt.checkpw, password.encode(), hashed.encode())
