"""The benchmark's rows in PyTorch, with the settings that make it fastest (fused Adam, gradients set to None).

Speaks one JSON object a line with bench/peer.ts: {"row": name, "ms": target} -> {"ns": time of one iteration}.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

ROWS = {}


def row(name):
    def register(prepare):
        ROWS[name] = prepare
        return prepare

    return register


@row("add4/enqueue")
@row("add4/dispose")
@row("add4/sync")
def add4():
    a, b = torch.randn(4), torch.randn(4)

    def run(iterations):
        for _ in range(iterations):
            torch.add(a, b)

    return run


@row("add4/await")
def add4_read():
    a, b = torch.randn(4), torch.randn(4)

    def run(iterations):
        for _ in range(iterations):
            torch.add(a, b).tolist()

    return run


def matmul(n):
    def prepare():
        a, b = torch.randn(n, n), torch.randn(n, n)

        def run(iterations):
            for _ in range(iterations):
                torch.matmul(a, b)

        return run

    return prepare


for n in (4, 32, 512):
    ROWS[f"matmul/{n}"] = matmul(n)


@row("program/8x256")
def sgd():
    return optimizer_step(torch.optim.SGD, lr=1e-6, fused=True)


@row("adam/8x256")
def adam():
    return optimizer_step(torch.optim.Adam, lr=1e-6, fused=True)


def optimizer_step(optimizer_class, **options):
    params = [torch.randn(256, requires_grad=True) for _ in range(8)]
    for p in params:
        p.grad = torch.randn(256)
    optimizer = optimizer_class(params, **options)

    def run(iterations):
        for _ in range(iterations):
            optimizer.step()

    return run


def mlp(batch):
    def prepare():
        model = torch.nn.Sequential(torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10))
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)
        x, y = torch.randn(batch, 784), torch.randint(0, 10, (batch,))

        def run(iterations):
            for _ in range(iterations):
                loss = F.cross_entropy(model(x), y)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()

        return run

    return prepare


for batch in (8, 32, 128, 512):
    ROWS[f"mlp/{batch}"] = mlp(batch)


class Case:
    def __init__(self, run):
        self.run = run
        self.fastest = 0.0

    def measure(self, ms):
        if self.fastest == 0:
            # Until a run is long enough to be told from the clock's noise; that also warms everything up.
            iterations = 1
            while self.time(iterations) * iterations < ms / 4 * 1e6:
                iterations *= 2
        return self.time(max(1, round(ms * 1e6 / self.fastest)))

    def time(self, iterations):
        start = time.perf_counter_ns()
        self.run(iterations)
        each = (time.perf_counter_ns() - start) / iterations
        self.fastest = min(self.fastest or each, each)
        return each


def main():
    # Replies go to what was stdout at start, so that a library that prints cannot disturb them.
    replies = sys.stdout
    sys.stdout = sys.stderr
    torch.set_num_threads(int(sys.argv[1]))
    print(json.dumps({"name": "PyTorch", "version": torch.__version__, "rows": list(ROWS)}), file=replies, flush=True)
    cases = {}
    for line in sys.stdin:
        request = json.loads(line)
        name = request["row"]
        if name not in cases:
            cases[name] = Case(ROWS[name]())
        print(json.dumps({"ns": cases[name].measure(request["ms"])}), file=replies, flush=True)


main()
