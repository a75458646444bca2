"""Authlib: the access tokens of the task, by its own validator for RFC 9068, with the keys that the origin
publishes."""

import requests
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

import report
from report import TIMEOUT_SECS, task


class Validator(JWTBearerTokenValidator):
    def get_jwks(self):
        return KeySet.import_key_set(requests.get(task["jwks_uri"], timeout=TIMEOUT_SECS).json())


def claims(token):
    validator = Validator(task["issuer"], task["audience"])
    found = validator.authenticate_token(token)
    validator.validate_token(found, scopes=["profile"], request=None)
    return found


for name, token in task["tokens"].items():
    report.step(name, (OAuth2Error, JoseError), lambda error: {"error": error.error}, lambda: claims(token))
report.report()
