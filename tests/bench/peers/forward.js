// The one thing that every Worker of the benchmark does alike: pass the request on to the upstream.

export function forward(request, env) {
  const url = new URL(request.url);
  return fetch(env.UPSTREAM_URL + url.pathname + url.search, request);
}
