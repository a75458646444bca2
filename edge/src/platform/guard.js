// The last line of defence. A panic, or any other trap, ends the Wasm instance and with it the
// promise of every request that it was working on: none of them would ever be answered. Each is
// answered 503 here instead, by its own invocation.

const TRAPPED = Symbol("trapped");
const traps = new Set();

// A trap inside a microtask rejects nothing; it is reported as an uncaught error of the isolate.
addEventListener("error", () => {
  for (const report of traps) report(TRAPPED);
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

/** The response that `work` comes to, or 503 if it fails or can no longer come to one. */
export async function guard(work) {
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
