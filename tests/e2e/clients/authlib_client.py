"""Authlib: every flow of the origin, and what it has to say of the metadata (RFC 8414)."""

import os

# Loopback has no TLS.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

import report
from challenge import read_refusal
from report import TIMEOUT_SECS, task

REFUSALS = (OAuthError, requests.HTTPError)


def refusal(error):
    if isinstance(error, requests.HTTPError):
        return read_refusal(error.response)
    return {"error": error.error}


def step(name, act):
    return report.step(name, REFUSALS, refusal, act)


def until_refused(name, act):
    report.until_refused(name, REFUSALS, refusal, act)


def session(method="client_secret_basic", secret=task["client_secret"]):
    return OAuth2Session(
        task["client_id"],
        secret,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        default_timeout=TIMEOUT_SECS,
    )


def complaints(metadata):
    found = []
    for key in metadata.REGISTRY_KEYS:
        try:
            getattr(metadata, f"validate_{key}")()
        except ValueError as error:
            found.append(str(error))
    return found


def checked(response):
    response.raise_for_status()
    return response.json()


def me(token):
    headers = {"Authorization": f"Bearer {token}"}
    response = requests.get(f"{task['edge']}/me", headers=headers, timeout=TIMEOUT_SECS)
    response.raise_for_status()
    return {"status": response.status_code}


url = get_well_known_url(task["issuer"], external=True)
metadata = AuthorizationServerMetadata(requests.get(url, timeout=TIMEOUT_SECS).json())
token_endpoint = metadata["token_endpoint"]
basic = session()
impostor = session(secret="another secret of it")


def client_credentials(of, **more):
    return of.fetch_token(token_endpoint, grant_type="client_credentials", **more)


def by_password(password):
    return basic.fetch_token(token_endpoint, grant_type="password", username=task["username"], password=password)


def refresh(token, **more):
    return basic.refresh_token(token_endpoint, refresh_token=token, **more)


def introspect(token, of=basic):
    return checked(of.introspect_token(metadata["introspection_endpoint"], token=token))


def revoke(token, of=basic):
    checked(of.revoke_token(metadata["revocation_endpoint"], token=token, token_type_hint="access_token"))


step("discovery", lambda: {**metadata, "complaints": complaints(metadata)})
step("client_credentials_basic", lambda: client_credentials(basic))
step("client_credentials_post", lambda: client_credentials(session("client_secret_post")))
pair = step("password", lambda: by_password(task["password"]))
narrowed = step("refresh_narrowed", lambda: refresh(pair["refresh_token"], scope="profile"))
step("introspection", lambda: introspect(narrowed["access_token"]))
step("resource", lambda: me(narrowed["access_token"]))
step("revocation", lambda: revoke(narrowed["access_token"]))
step("introspection_of_revoked", lambda: introspect(narrowed["access_token"]))
until_refused("resource_of_revoked", lambda: me(narrowed["access_token"]))

step("wrong_secret", lambda: client_credentials(impostor))
step("wrong_secret_at_revocation", lambda: revoke(pair["access_token"], impostor))
step("wrong_secret_at_introspection", lambda: introspect(pair["access_token"], impostor))
step("unknown_grant", lambda: basic.fetch_token(token_endpoint, grant_type="urn:example:magic"))
step("bad_scope", lambda: client_credentials(basic, scope="moon"))
step("wrong_password", lambda: by_password("wrong"))

last = step("refresh_again", lambda: refresh(narrowed["refresh_token"]))
until_refused("reused_refresh_token", lambda: refresh(pair["refresh_token"]))
step("successor_of_reused", lambda: refresh(last["refresh_token"]))
report.report()
