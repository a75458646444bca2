// The last line of defence. A panic, or any other trap, ends the Wasm instance and with it
// everything that it was working on: those requests would never be answered. Each is answered 503
// here instead, by its own invocation.

const TRAPPED = Symbol("trapped");
const traps = new Set();

addEventListener("error", () => {
  for (const report of traps) report(TRAPPED);
});

// A trap inside a promise's callback is a rejection that nobody handles. Reported as an error it
// also reaches the listener that makes a new instance for the next request.
addEventListener("unhandledrejection", ({ reason }) => {
  if (reason instanceof WebAssembly.RuntimeError) reportError(reason);
});

function unavailable() {
  const problem = {
    type: "urn:portcullis:problem:internal",
    title: "Service Unavailable",
    status: 503,
    detail: "Something went wrong on our side",
    code: "internal",
  };
  return new Response(JSON.stringify(problem), {
    status: 503,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "retry-after": "2",
    },
  });
}

/** What `start` returns: a response, or the promise of one. */
export function guard(start) {
  try {
    return start();
  } catch (error) {
    reportError(error);
    return unavailable();
  }
}

/** The response that work inside the instance comes to, or 503 if the instance ends before. */
export async function untilTrapped(work) {
  let report;
  const trapped = new Promise((resolve) => {
    report = resolve;
  });
  traps.add(report);
  try {
    const response = await Promise.race([work, trapped]);
    return response === TRAPPED ? unavailable() : response;
  } catch {
    return unavailable();
  } finally {
    traps.delete(report);
  }
}

/** The upstream's response, which needs the instance no more; `onFailure()` if there is none. */
export async function upstreamOr(response, onFailure) {
  try {
    return await response;
  } catch {
    return guard(onFailure);
  }
}
