"""Writes schedules.json: learning rates and momenta of each schedule, as PyTorch sets them, to compare with.

Needs PyTorch; run by hand, the result is committed. Two groups start at 0.1 and 0.5. A row holds, for each step from 0,
[lr of group 0, lr of group 1, momentum of group 0 or beta1].
"""

import json
import pathlib

import torch
from torch.optim import lr_scheduler as S

CASES = {
    "LambdaLR/one": lambda o: S.LambdaLR(o, lambda t: 0.95**t),
    "LambdaLR/two": lambda o: S.LambdaLR(o, [lambda t: 0.95**t, lambda t: 1 / (1 + t)]),
    "MultiplicativeLR/default": lambda o: S.MultiplicativeLR(o, lambda t: 0.9 if t % 2 else 0.99),
    "StepLR/default": lambda o: S.StepLR(o, 7),
    "StepLR/gamma": lambda o: S.StepLR(o, 1, gamma=0.7),
    "MultiStepLR/default": lambda o: S.MultiStepLR(o, [20, 5, 5, 11]),
    "MultiStepLR/gamma": lambda o: S.MultiStepLR(o, [3, 4], gamma=0.5),
    "ConstantLR/default": lambda o: S.ConstantLR(o),
    "ConstantLR/options": lambda o: S.ConstantLR(o, factor=0.2, total_iters=9),
    "LinearLR/default": lambda o: S.LinearLR(o),
    "LinearLR/down": lambda o: S.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=17),
    "ExponentialLR/default": lambda o: S.ExponentialLR(o, 0.93),
    "PolynomialLR/default": lambda o: S.PolynomialLR(o),
    "PolynomialLR/square": lambda o: S.PolynomialLR(o, total_iters=25, power=2.0),
    "CosineAnnealingLR/default": lambda o: S.CosineAnnealingLR(o, 40),
    "CosineAnnealingLR/cycles": lambda o: S.CosineAnnealingLR(o, 9, eta_min=0.01),
    "CosineAnnealingWarmRestarts/default": lambda o: S.CosineAnnealingWarmRestarts(o, 8),
    "CosineAnnealingWarmRestarts/mult": lambda o: S.CosineAnnealingWarmRestarts(o, 3, T_mult=2, eta_min=0.02),
    "CyclicLR/triangular": lambda o: S.CyclicLR(o, 0.01, 0.2, step_size_up=6),
    "CyclicLR/triangular2": lambda o: S.CyclicLR(o, [0.01, 0.02], [0.2, 0.3], step_size_up=4, step_size_down=9, mode="triangular2"),
    "CyclicLR/expRange": lambda o: S.CyclicLR(o, 0.01, 0.2, step_size_up=5, mode="exp_range", gamma=0.97, base_momentum=0.7, max_momentum=0.99),
    "CyclicLR/scaleFn": lambda o: S.CyclicLR(o, 0.01, 0.2, step_size_up=5, scale_fn=lambda x: 1 / (1 + x), scale_mode="iterations", cycle_momentum=False),
    "OneCycleLR/default": lambda o: S.OneCycleLR(o, 0.3, total_steps=40),
    "OneCycleLR/three": lambda o: S.OneCycleLR(o, [0.3, 0.7], epochs=5, steps_per_epoch=9, three_phase=True, pct_start=0.4),
    "OneCycleLR/linear": lambda o: S.OneCycleLR(o, 0.3, total_steps=43, anneal_strategy="linear", div_factor=10, final_div_factor=100, base_momentum=0.6, max_momentum=0.9),
    "OneCycleLR/adam": lambda o: S.OneCycleLR(o, 0.3, total_steps=40),
    "SequentialLR/warmup": lambda o: S.SequentialLR(o, [S.LinearLR(o, start_factor=0.01, total_iters=5), S.CosineAnnealingLR(o, 35)], [5]),
    "SequentialLR/three": lambda o: S.SequentialLR(o, [S.ConstantLR(o, factor=0.5, total_iters=4), S.StepLR(o, 3), S.ExponentialLR(o, 0.9)], [6, 20]),
    "ChainedScheduler/default": lambda o: S.ChainedScheduler([S.ConstantLR(o, factor=0.1, total_iters=20), S.ExponentialLR(o, 0.9)]),
    "ChainedScheduler/cosine": lambda o: S.ChainedScheduler([S.LinearLR(o, total_iters=6), S.CosineAnnealingLR(o, 40), S.MultiStepLR(o, [10, 30])]),
    "ReduceLROnPlateau/default": lambda o: S.ReduceLROnPlateau(o, patience=2),
    "ReduceLROnPlateau/options": lambda o: S.ReduceLROnPlateau(o, mode="max", factor=0.5, patience=1, threshold=0.1, threshold_mode="abs", cooldown=2, min_lr=[0.01, 0.1]),
    "ReduceLROnPlateau/rel": lambda o: S.ReduceLROnPlateau(o, mode="max", factor=0.3, patience=0, threshold=0.05, min_lr=1e-3),
}
STEPS = 40
METRICS = [((i * 37) % 23) / 10 + 3 / (1 + i) for i in range(STEPS)]


def run(key, make):
    groups = [{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)], "lr": 0.5}]
    optimizer = torch.optim.Adam(groups, lr=0.1) if key.endswith("/adam") else torch.optim.SGD(groups, lr=0.1, momentum=0.75)
    scheduler = make(optimizer)

    def row():
        a, b = optimizer.param_groups
        return [a["lr"], b["lr"], a["betas"][0] if "betas" in a else a["momentum"]]

    rows = [row()]
    for metric in METRICS:
        optimizer.step()
        scheduler.step(*([metric] if "Plateau" in key else []))
        rows.append(row())
    return rows


out = pathlib.Path(__file__).with_name("schedules.json")
lines = [f"    {json.dumps(key)}: {json.dumps(run(key, make), separators=(',', ':'))}" for key, make in CASES.items()]
out.write_text('{\n  "metrics": ' + json.dumps(METRICS) + ',\n  "cases": {\n' + ",\n".join(lines) + "\n  }\n}\n")
