// The last line of defence. A panic, or any other trap, ends the Wasm instance and with it
// everything that it was working on: those requests would never be answered. Each is answered 503
// here instead, by its own invocation.

const TRAPPED = Symbol("trapped");
const waiting = new Set();

function reportTrap() {
  for (const report of waiting) report(TRAPPED);
}

// A trap inside a microtask has no caller; it surfaces as an uncaught error of the isolate.
addEventListener("error", reportTrap);

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

/** The response that work inside the instance comes to, or 503 if the instance ends before. */
async function untilTrapped(work) {
  let report;
  const trapped = new Promise((resolve) => {
    report = resolve;
  });
  waiting.add(report);
  try {
    const response = await Promise.race([work, trapped]);
    return response === TRAPPED ? unavailable() : response;
  } finally {
    waiting.delete(report);
  }
}

/**
 * The response that `run` returns, or the one that it promises; 503 if it traps. Work that goes on
 * inside the instance has to be passed through the function that `run` is given.
 */
export async function guard(run, request, env, context) {
  // Leaves the instance's frames first: a trap must not pass through them on its way here.
  await undefined;
  try {
    return await run(request, env, context, untilTrapped);
  } catch {
    reportTrap();
    return unavailable();
  }
}
