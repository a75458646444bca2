"""requests-oauthlib on oauthlib: every flow of the origin. They know no introspection."""

import os

# Loopback has no TLS.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

import report
from challenge import read_refusal
from report import TIMEOUT_SECS, task

REFUSALS = (OAuth2Error, requests.HTTPError)
CLIENT_ID = task["client_id"]
BASIC = HTTPBasicAuth(CLIENT_ID, task["client_secret"])
IMPOSTOR = HTTPBasicAuth(CLIENT_ID, "another-secret-of-it")


def refusal(error):
    if isinstance(error, requests.HTTPError):
        return read_refusal(error.response)
    return {"error": error.error, "status": error.status_code}


def step(name, act):
    return report.step(name, REFUSALS, refusal, act)


def until_refused(name, act):
    report.until_refused(name, REFUSALS, refusal, act)


def client_credentials(auth=BASIC, grant_type="client_credentials", scope=None, **more):
    client = BackendApplicationClient(CLIENT_ID, scope=scope)
    client.grant_type = grant_type
    return OAuth2Session(client=client).fetch_token(TOKEN, auth=auth, timeout=TIMEOUT_SECS, **more)


def by_password(password):
    client = OAuth2Session(client=LegacyApplicationClient(CLIENT_ID))
    return client.fetch_token(TOKEN, username=task["username"], password=password, auth=BASIC, timeout=TIMEOUT_SECS)


def refresh(token, scope=None):
    client = OAuth2Session(CLIENT_ID, scope=scope)
    return client.refresh_token(TOKEN, refresh_token=token, auth=BASIC, timeout=TIMEOUT_SECS)


def revoke(token, auth=BASIC):
    client = BackendApplicationClient(CLIENT_ID)
    url, headers, body = client.prepare_token_revocation_request(metadata["revocation_endpoint"], token, "access_token")
    requests.post(url, headers=headers, data=body, auth=auth, timeout=TIMEOUT_SECS).raise_for_status()


def me(token):
    client = OAuth2Session(CLIENT_ID, token={"access_token": token, "token_type": "Bearer"})
    response = client.get(f"{task['edge']}/me", timeout=TIMEOUT_SECS)
    response.raise_for_status()
    return {"status": response.status_code}


well_known = f"{task['issuer']}/.well-known/oauth-authorization-server"
metadata = requests.get(well_known, timeout=TIMEOUT_SECS).json()
TOKEN = metadata["token_endpoint"]

step("discovery", lambda: metadata)
step("client_credentials_basic", client_credentials)
step("client_credentials_post", lambda: client_credentials(None, client_secret=task["client_secret"], include_client_id=True))
pair = step("password", lambda: by_password(task["password"]))
narrowed = step("refresh_narrowed", lambda: refresh(pair["refresh_token"], scope=["profile"]))
step("resource", lambda: me(narrowed["access_token"]))
step("revocation", lambda: revoke(narrowed["access_token"]))
until_refused("resource_of_revoked", lambda: me(narrowed["access_token"]))

step("wrong_secret", lambda: client_credentials(IMPOSTOR))
step("wrong_secret_at_revocation", lambda: revoke(pair["access_token"], IMPOSTOR))
step("unknown_grant", lambda: client_credentials(grant_type="urn:example:magic"))
step("bad_scope", lambda: client_credentials(scope=["moon"]))
step("wrong_password", lambda: by_password("wrong"))

last = step("refresh_again", lambda: refresh(narrowed["refresh_token"]))
until_refused("reused_refresh_token", lambda: refresh(pair["refresh_token"]))
step("successor_of_reused", lambda: refresh(last["refresh_token"]))
report.report()
