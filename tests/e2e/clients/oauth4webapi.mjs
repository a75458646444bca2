// oauth4webapi: every flow of the origin, and its own validation of the access token (RFC 9068).
import * as oauth from "oauth4webapi";
import { report, step, task, untilRefused } from "./report.mjs";

const options = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(task.issuer);
const client = { client_id: task.client_id };
const basic = oauth.ClientSecretBasic(task.client_secret);
const post = oauth.ClientSecretPost(task.client_secret);
const impostor = oauth.ClientSecretBasic("another secret of it");

async function refusal(error) {
  if (error instanceof oauth.ResponseBodyError) {
    return { error: error.error, status: error.status };
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) {
    const [{ scheme, parameters }] = error.cause;
    const body = await error.response.json();
    return { error: parameters.error ?? body.error, status: error.status, scheme, realm: parameters.realm };
  }
}

const found = await oauth.discoveryRequest(issuer, { ...options, algorithm: "oauth2" });
const server = await oauth.processDiscoveryResponse(issuer, found);

async function clientCredentials(authentication, parameters = {}) {
  const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, options);
  return oauth.processClientCredentialsResponse(server, client, response);
}

async function generic(grant, parameters) {
  const response = await oauth.genericTokenEndpointRequest(server, client, basic, grant, parameters, options);
  return oauth.processGenericTokenEndpointResponse(server, client, response);
}

async function refresh(token, additionalParameters = {}) {
  const more = { ...options, additionalParameters };
  const response = await oauth.refreshTokenGrantRequest(server, client, basic, token, more);
  return oauth.processRefreshTokenResponse(server, client, response);
}

async function introspect(token, authentication = basic) {
  const response = await oauth.introspectionRequest(server, client, authentication, token, options);
  return oauth.processIntrospectionResponse(server, client, response);
}

async function revoke(token, authentication = basic) {
  const response = await oauth.revocationRequest(server, client, authentication, token, options);
  return oauth.processRevocationResponse(response);
}

async function me(token) {
  const url = new URL(`${task.edge}/me`);
  const response = await oauth.protectedResourceRequest(token, "GET", url, undefined, undefined, options);
  return { status: response.status };
}

function validate(token) {
  const request = new Request(task.edge, { headers: { authorization: `Bearer ${token}` } });
  return oauth.validateJwtAccessToken(server, request, task.audience, options);
}

const byPassword = (more) => generic("password", { username: task.username, password: task.password, ...more });

await step("discovery", refusal, () => server);
await step("client_credentials_basic", refusal, () => clientCredentials(basic));
await step("client_credentials_post", refusal, () => clientCredentials(post));
const pair = await step("password", refusal, () => byPassword());
const narrowed = await step("refresh_narrowed", refusal, () => refresh(pair.refresh_token, { scope: "profile" }));
await step("claims", refusal, () => validate(narrowed.access_token));
await step("introspection", refusal, () => introspect(narrowed.access_token));
await step("resource", refusal, () => me(narrowed.access_token));
await step("revocation", refusal, () => revoke(narrowed.access_token));
await step("introspection_of_revoked", refusal, () => introspect(narrowed.access_token));
await untilRefused("resource_of_revoked", refusal, () => me(narrowed.access_token));

await step("wrong_secret", refusal, () => clientCredentials(impostor));
await step("wrong_secret_at_revocation", refusal, () => revoke(pair.access_token, impostor));
await step("wrong_secret_at_introspection", refusal, () => introspect(pair.access_token, impostor));
await step("unknown_grant", refusal, () => generic("urn:example:magic", {}));
await step("bad_scope", refusal, () => clientCredentials(basic, { scope: "moon" }));
await step("wrong_password", refusal, () => byPassword({ password: "wrong" }));

const last = await step("refresh_again", refusal, () => refresh(narrowed.refresh_token));
await untilRefused("reused_refresh_token", refusal, () => refresh(pair.refresh_token));
await step("successor_of_reused", refusal, () => refresh(last.refresh_token));
report();
