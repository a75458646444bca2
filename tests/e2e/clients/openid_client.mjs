// openid-client: every flow of the origin, and the edge as its protected resource.
import * as client from "openid-client";
import { report, step, task, untilRefused } from "./report.mjs";

function discover(authentication) {
  const options = { algorithm: "oauth2", execute: [client.allowInsecureRequests] };
  return client.discovery(new URL(task.issuer), task.client_id, undefined, authentication, options);
}

async function refusal(error) {
  if (error instanceof client.ResponseBodyError) {
    return { error: error.error, status: error.status };
  }
  if (error instanceof client.WWWAuthenticateChallengeError) {
    const [{ scheme, parameters }] = error.cause;
    const body = await error.response.json();
    return { error: parameters.error ?? body.error, status: error.status, scheme, realm: parameters.realm };
  }
}

const basic = await discover(client.ClientSecretBasic(task.client_secret));
const post = await discover(client.ClientSecretPost(task.client_secret));
const impostor = await discover(client.ClientSecretBasic("another secret of it"));
const me = (token) => client.fetchProtectedResource(basic, token, new URL(`${task.edge}/me`), "GET");
const byPassword = (more) =>
  client.genericGrantRequest(basic, "password", { username: task.username, password: task.password, ...more });

await step("discovery", refusal, () => basic.serverMetadata());
await step("client_credentials_basic", refusal, () => client.clientCredentialsGrant(basic));
await step("client_credentials_post", refusal, () => client.clientCredentialsGrant(post));
const pair = await step("password", refusal, () => byPassword());
const narrowed = await step("refresh_narrowed", refusal, () =>
  client.refreshTokenGrant(basic, pair.refresh_token, { scope: "profile" }));
await step("introspection", refusal, () => client.tokenIntrospection(basic, narrowed.access_token));
await step("resource", refusal, async () => ({ status: (await me(narrowed.access_token)).status }));
await step("revocation", refusal, () => client.tokenRevocation(basic, narrowed.access_token));
await step("introspection_of_revoked", refusal, () => client.tokenIntrospection(basic, narrowed.access_token));
await untilRefused("resource_of_revoked", refusal, async () => ({ status: (await me(narrowed.access_token)).status }));

await step("wrong_secret", refusal, () => client.clientCredentialsGrant(impostor));
await step("wrong_secret_at_revocation", refusal, () => client.tokenRevocation(impostor, pair.access_token));
await step("wrong_secret_at_introspection", refusal, () => client.tokenIntrospection(impostor, pair.access_token));
await step("unknown_grant", refusal, () => client.genericGrantRequest(basic, "urn:example:magic", {}));
await step("bad_scope", refusal, () => client.clientCredentialsGrant(basic, { scope: "moon" }));
await step("wrong_password", refusal, () => byPassword({ password: "wrong" }));

const last = await step("refresh_again", refusal, () => client.refreshTokenGrant(basic, narrowed.refresh_token));
await untilRefused("reused_refresh_token", refusal, () => client.refreshTokenGrant(basic, pair.refresh_token));
await step("successor_of_reused", refusal, () => client.refreshTokenGrant(basic, last.refresh_token));
report();
