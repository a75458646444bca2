// `jose`, with the checks that its users ask of an access token. Knows of no revocation.

import { createLocalJWKSet, jwtVerify } from "jose";
import { forward } from "./forward.js";

let verifier;

// Built once an isolate, so that keys are imported once.
function verifierFor(env) {
  verifier ??= {
    keys: createLocalJWKSet(env.TOKEN_KEYS),
    options: {
      algorithms: ["EdDSA", "ES256", "RS256"],
      audience: env.TOKEN_AUDIENCE,
      issuer: env.TOKEN_ISSUER,
      requiredClaims: ["exp", "iat", "jti", "sub"],
      typ: "at+jwt",
    },
  };
  return verifier;
}

export async function verify(request, env) {
  const authorization = request.headers.get("authorization") ?? "";
  if (!authorization.startsWith("Bearer ")) {
    return undefined;
  }
  const { keys, options } = verifierFor(env);
  try {
    const { payload } = await jwtVerify(authorization.slice(7), keys, options);
    return payload;
  } catch {
    return undefined;
  }
}

export default {
  async fetch(request, env) {
    const claims = await verify(request, env);
    return claims ? forward(request, env) : new Response(null, { status: 401 });
  },
};
