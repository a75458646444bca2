// jose: the access tokens of the task, verified with the keys that the origin publishes (RFC 9068, section 4).
import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import { report, step, task } from "./report.mjs";

const keys = createRemoteJWKSet(new URL(task.jwks_uri));
const expected = {
  issuer: task.issuer,
  audience: task.audience,
  typ: "at+jwt",
  requiredClaims: ["client_id", "exp", "iat", "jti", "sub"],
};
const refusal = (error) => (error instanceof errors.JOSEError ? { error: error.code } : undefined);

for (const [name, token] of Object.entries(task.tokens)) {
  await step(name, refusal, async () => (await jwtVerify(token, keys, expected)).payload);
}
report();
