"""What the Python clients have in common: the task from standard input, an outcome for each step as JSON
on standard output. A refusal is an outcome like any other; the tests judge which was right."""

import json
import sys
import time

PATIENCE_SECS = 90
PAUSE_SECS = 0.2
# Of one request: none waits for ever.
TIMEOUT_SECS = 90

task = json.load(sys.stdin)
outcomes = {}


def step(name, refusals, describe, act):
    """Does one step. `refusals` are the exceptions by which this library refuses, and `describe` tells
    what one of them says."""
    try:
        outcomes[name] = dict(act() or {})
    except refusals as error:
        outcomes[name] = describe(error)
    except Exception as error:
        outcomes[name] = {"failed": repr(error)}
    return outcomes[name]


def until_refused(name, refusals, describe, act):
    """Does it again until it is refused; after a minute and a half its last outcome is left to speak."""
    deadline = time.monotonic() + PATIENCE_SECS
    while "error" not in step(name, refusals, describe, act) and time.monotonic() < deadline:
        time.sleep(PAUSE_SECS)


def report():
    print(json.dumps(outcomes))
