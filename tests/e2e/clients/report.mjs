// What the JavaScript clients have in common: the task from standard input, an outcome for each step as
// JSON on standard output. A refusal is an outcome like any other; the tests judge which was right.
import { text } from "node:stream/consumers";

const PATIENCE_MS = 90_000;
const PAUSE_MS = 200;

export const task = JSON.parse(await text(process.stdin));

const outcomes = {};

/** Does one step; `describe` tells how this library refuses, or nothing if that was no refusal. */
export async function step(name, describe, act) {
  try {
    outcomes[name] = (await act()) ?? {};
  } catch (error) {
    outcomes[name] = (await describe(error)) ?? { failed: `${error}`, cause: `${error.cause}` };
  }
  return outcomes[name];
}

/** Does it again until it is refused; after a minute and a half its last outcome is left to speak. */
export async function untilRefused(name, describe, act) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!("error" in (await step(name, describe, act))) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

export function report() {
  console.log(JSON.stringify(outcomes));
}
