"""A peer of the benchmark: rows by name, and the conversation with bench/peer.ts (which describes it)."""

import json
import os
import sys
import time
import traceback


class Rows:
    """Rows by name. What prepares one returns run(iterations), which returns when all is done."""

    def __init__(self):
        self.prepare = {}

    def row(self, *names):
        def register(prepare):
            for name in names:
                self.prepare[name] = prepare
            return prepare

        return register


def finish():
    """Waits for what was begun; a peer whose functions return before they are done puts another here."""


def repeat(work):
    """run(iterations) of a function."""

    def run(iterations):
        for _ in range(iterations):
            work()
        finish()

    return run


def repeat_waiting(work):
    """The same of one that is waited for each time."""

    def waited():
        work()
        finish()

    return repeat(waited)


# As in ../measure.ts.
WARM_MEASUREMENTS = 10


class Case:
    def __init__(self, run):
        self.run = run
        self.fastest = 0.0

    def warm_up(self, ms):
        # Once for caches, pages and compilers; then until a run is long enough to be told from the clock's noise, and
        # for as long as Thalweg is.
        self.time(1)
        self.fastest = 0.0
        iterations, spent = 1, 0
        while spent < WARM_MEASUREMENTS * ms:
            run = self.time(iterations) * iterations / 1e6
            spent += run
            if run < ms / 2:
                iterations *= 2
        return self.fastest

    def measure(self, ms):
        return self.time(max(1, round(ms * 1e6 / self.fastest)))

    def time(self, iterations):
        start = time.perf_counter_ns()
        self.run(iterations)
        each = max(time.perf_counter_ns() - start, 1) / iterations
        self.fastest = min(self.fastest or each, each)
        return each


def take_stdout():
    """A stream to the benchmark. What a library prints, from Python or not, goes to stderr and cannot disturb it."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return replies


def serve(replies, name, version, rows):
    print(json.dumps({"name": name, "version": version, "rows": list(rows.prepare)}), file=replies)
    cases = {}
    for line in sys.stdin:
        request = json.loads(line)
        row = request["row"]
        try:
            if request["do"] == "prepare":
                cases[row] = Case(rows.prepare[row]())
                reply = {"ns": cases[row].warm_up(request["ms"])}
            elif request["do"] == "measure":
                reply = {"ns": cases[row].measure(request["ms"])}
            else:
                cases.pop(row, None)
                reply = {"ns": 0}
        except Exception as error:
            traceback.print_exc()
            cases.pop(row, None)
            reply = {"error": f"{type(error).__name__}: {error}".split("\n")[0][:200]}
        print(json.dumps(reply), file=replies)


def refuse(replies, reason):
    print(json.dumps({"error": reason}), file=replies)
    sys.exit(1)
