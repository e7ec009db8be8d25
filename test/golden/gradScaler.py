"""Writes gradScaler.json: 24 steps of some optimizers in float32 under torch.amp.GradScaler, with gradients that overflow in
some of the steps, to compare with.

Needs PyTorch; run by hand, the result is committed. Gradients are those of the loss sum(p * gradient). `params` holds the
parameter and `scales` the factor after every step.
"""

import json
import math
import pathlib

import torch

STEPS = 24
OVERFLOWS = {0: math.inf, 5: math.nan, 6: -math.inf, 13: math.inf, 20: math.nan}
START = [0.5, -1.25, 2.0, 0.125]
SCALER = {"initScale": 4096.0, "growthFactor": 4.0, "backoffFactor": 0.25, "growthInterval": 3}
CASES = {
    "SGD/momentum": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
    "SGD/dampening": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.8, "dampening": 0.5, "weight_decay": 0.1}),
    "Adam/default": (torch.optim.Adam, {"lr": 0.02}),
    "AdamW/options": (torch.optim.AdamW, {"lr": 0.05, "betas": [0.8, 0.9], "weight_decay": 0.2}),
    "NAdam/default": (torch.optim.NAdam, {"lr": 0.02}),
    "RMSprop/momentum": (torch.optim.RMSprop, {"lr": 0.02, "momentum": 0.5}),
    "Adagrad/decay": (torch.optim.Adagrad, {"lr": 0.1, "lr_decay": 0.1}),
}

gradients = []
for step in range(STEPS):
    row = [math.sin(1.3 * step + k) + 0.25 * k for k in range(len(START))]
    if step in OVERFLOWS:
        row[step % len(START)] = OVERFLOWS[step]
    gradients.append(row)


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def text(x):
    if math.isfinite(x):
        return x
    return "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"


cases = {}
for key, (cls, options) in CASES.items():
    p = torch.tensor(START, requires_grad=True)
    optimizer = cls([p], **options)
    scaler = torch.amp.GradScaler(
        "cpu",
        init_scale=SCALER["initScale"],
        growth_factor=SCALER["growthFactor"],
        backoff_factor=SCALER["backoffFactor"],
        growth_interval=SCALER["growthInterval"],
    )
    params, scales = [], []
    for row in gradients:
        optimizer.zero_grad()
        scaler.scale((p * torch.tensor(row)).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        params.append(p.detach().tolist())
        scales.append(scaler.get_scale())
    cases[key] = {"options": {camel(k): v for k, v in options.items()}, "params": params, "scales": scales}

head = {"start": START, "options": SCALER, "gradients": [[text(x) for x in row] for row in gradients]}
lines = [f"    {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in cases.items()]
out = pathlib.Path(__file__).with_name("gradScaler.json")
out.write_text(json.dumps(head)[:-1] + ', "cases": {\n' + ",\n".join(lines) + "\n}}\n")
