// hono's `jwk` middleware, with the same checks. Knows of no revocation.

import { Hono } from "hono";
import { jwk } from "hono/jwk";
import { forward } from "./forward.js";

let checks;

// Built once an isolate, because the keys are a binding.
function checksFor(env) {
  checks ??= jwk({
    alg: ["EdDSA", "ES256", "RS256"],
    keys: env.TOKEN_KEYS.keys,
    verification: { aud: env.TOKEN_AUDIENCE, iss: env.TOKEN_ISSUER, typ: "at+jwt" },
  });
  return checks;
}

const app = new Hono();
app.use("*", (context, next) => checksFor(context.env)(context, next));
app.all("*", (context) => forward(context.req.raw, context.env));

export default app;
