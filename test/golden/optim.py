"""Writes optim.json: 20 steps of each optimizer in float64, as PyTorch takes them, to compare with.

Needs PyTorch; run by hand, the result is committed. The loss is sum(0.5 * c * p^2 + sin(3 * p)) over two parameters.
`options` are the constructor's, in camelCase as here; `trajectory` holds both parameters after every step.
"""

import json
import pathlib
import re

import torch

f64 = torch.float64
START = [[[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]], [3.0, -2.0, 0.125]]
CURVATURE = [[[1.0, 0.5, 2.0], [0.25, 3.0, 1.5]], [0.1, 0.7, 4.0]]
CASES = {
    "SGD/plain": {"lr": 0.05},
    "SGD/weightDecay": {"lr": 0.05, "weightDecay": 0.3},
    "SGD/maximize": {"lr": 0.01, "maximize": True, "weightDecay": 0.3},
    "SGD/momentum": {"lr": 0.05, "momentum": 0.9},
    "SGD/dampening": {"lr": 0.05, "momentum": 0.9, "dampening": 0.4},
    "SGD/nesterov": {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    "SGD/nesterovDecay": {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weightDecay": 0.1, "maximize": True},
    "Adam/default": {},
    "Adam/lr": {"lr": 0.1},
    "Adam/betas": {"lr": 0.05, "betas": [0.5, 0.75], "eps": 0.001},
    "Adam/weightDecay": {"lr": 0.05, "weightDecay": 0.5},
    "Adam/maximize": {"lr": 0.05, "maximize": True, "weightDecay": 0.1},
    "Adam/betaZero": {"lr": 0.05, "betas": [0.0, 0.9]},
}


def snake(name):
    return re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), name)


results = {"start": START, "curvature": CURVATURE, "cases": {}}
for key, options in CASES.items():
    params = [torch.tensor(p, dtype=f64, requires_grad=True) for p in START]
    curvature = [torch.tensor(c, dtype=f64) for c in CURVATURE]
    optimizer = getattr(torch.optim, key.split("/")[0])(params, **{snake(k): v for k, v in options.items()})
    trajectory = []
    for _ in range(20):
        optimizer.zero_grad()
        sum((0.5 * c * p * p + (3 * p).sin()).sum() for p, c in zip(params, curvature)).backward()
        optimizer.step()
        trajectory.append([v for p in params for v in p.detach().flatten().tolist()])
    results["cases"][key] = {"options": options, "trajectory": trajectory}

out = pathlib.Path(__file__).with_name("optim.json")
head = {k: v for k, v in results.items() if k != "cases"}
lines = [f"    {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in results["cases"].items()]
out.write_text(json.dumps(head)[:-1] + ', "cases": {\n' + ",\n".join(lines) + "\n}}\n")
