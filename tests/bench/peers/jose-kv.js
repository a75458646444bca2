// `jose`, and one KV read per `jti`: how revocation is usually added to a Worker.

import { forward } from "./forward.js";
import { verify } from "./jose.js";

export default {
  async fetch(request, env) {
    const claims = await verify(request, env);
    if (!claims || (await env.REVOKED.get(`blacklist:${claims.jti}`)) !== null) {
      return new Response(null, { status: 401 });
    }
    return forward(request, env);
  },
};
