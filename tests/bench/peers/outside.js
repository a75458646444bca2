// Everything that a Worker of the benchmark can reach by `fetch`: an upstream that answers at once,
// in the same process, so that the hop costs every Worker the same; and the origin's stand-in.

export default {
  fetch(request, env) {
    return request.url.startsWith(env.ORIGIN_URL) ? env.ORIGIN.fetch(request) : new Response("ok");
  },
};
