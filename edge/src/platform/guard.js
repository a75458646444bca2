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

/** What work inside the instance comes to, or `TRAPPED` if the instance ends before. */
export function untilTrapped(work) {
  return new Promise((resolve, reject) => {
    waiting.add(resolve);
    work.then(resolve, reject).then(() => waiting.delete(resolve));
  });
}

/** The same, of what `resume` returns once `promise` is settled: the next step of the call `id`. */
export function resumeAfter(promise, resume, id) {
  return untilTrapped(
    promise.then(
      (value) => resume(id, value, true),
      (reason) => resume(id, reason, false),
    ),
  );
}

/** The response that an upstream is asked for; 503 if what answers its failure ended with the instance. */
export function orUnavailable(response) {
  return response.catch(unavailable);
}

/** The response that `run` comes to; 503 if it, or anything else in the instance, traps. */
export async function guard(run, request, env, context) {
  // Leaves the instance's frames first: a trap must not pass through them on its way here.
  await undefined;
  try {
    const response = await run(request, env, context);
    return response === TRAPPED ? unavailable() : response;
  } catch {
    reportTrap();
    return unavailable();
  }
}
