"""PyJWT: the access tokens of the task, verified with the keys that the origin publishes (RFC 9068,
section 4)."""

import jwt

import report
from report import task

keys = jwt.PyJWKClient(task["jwks_uri"])


def refusal(error):
    return {"error": type(error).__name__}


def claims(token):
    # PyJWT leaves the type to its caller.
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("not an access token")
    key = keys.get_signing_key_from_jwt(token)
    return jwt.decode(
        token,
        key,
        algorithms=[key.algorithm_name],
        issuer=task["issuer"],
        audience=task["audience"],
        options={"require": ["client_id", "exp", "iat", "jti", "sub"]},
    )


for name, token in task["tokens"].items():
    report.step(name, jwt.PyJWTError, refusal, lambda: claims(token))
report.report()
