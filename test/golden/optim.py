"""Writes optim.json: 20 steps of each optimizer in float64, as PyTorch takes them, to compare with.

What PyTorch does not have, or not in float64 (LAMB, LARS, Lion, Muon, schedule-free AdamW, SAM, Lookahead, L1 and so on), is
written out here from the papers.

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
    "SGD/decoupled": {"lr": 0.05, "momentum": 0.9, "weightDecay": 0.3, "decoupledWeightDecay": True},
    "SGD/l1": {"lr": 0.05, "l1": 0.3, "weightDecay": 0.1},
    "SGD/l1Decoupled": {"lr": 0.05, "l1": 0.3, "l1Mode": "decoupled"},
    "SGD/l1Proximal": {"lr": 0.05, "l1": 3.0, "l1Mode": "proximal"},
    "SGD/maxNorm": {"lr": 0.05, "maxNorm": 1.0},
    "Adam/amsgrad": {"lr": 0.1, "amsgrad": True, "betas": [0.6, 0.7], "weightDecay": 0.01},
    "AdamW/default": {},
    "AdamW/options": {"lr": 0.1, "weightDecay": 0.5, "amsgrad": True, "maximize": True},
    "Adamax/default": {},
    "Adamax/options": {"lr": 0.1, "betas": [0.8, 0.9], "weightDecay": 0.2, "eps": 1e-3, "maximize": True},
    "NAdam/default": {},
    "NAdam/options": {"lr": 0.1, "betas": [0.8, 0.9], "weightDecay": 0.2, "momentumDecay": 0.1},
    "NAdam/decoupled": {"lr": 0.1, "weightDecay": 0.2, "decoupledWeightDecay": True},
    "RAdam/default": {},
    "RAdam/options": {"lr": 0.1, "betas": [0.8, 0.9], "weightDecay": 0.2, "eps": 1e-3},
    "RAdam/decoupled": {"lr": 0.1, "betas": [0.8, 0.95], "weightDecay": 0.2, "decoupledWeightDecay": True},
    "Adagrad/default": {},
    "Adagrad/options": {"lr": 0.3, "lrDecay": 0.1, "weightDecay": 0.2, "initialAccumulatorValue": 0.5, "eps": 1e-3},
    "Adadelta/default": {},
    "Adadelta/options": {"lr": 2.0, "rho": 0.7, "eps": 1e-3, "weightDecay": 0.2, "maximize": True},
    "RMSprop/default": {},
    "RMSprop/momentum": {"lr": 0.02, "alpha": 0.9, "momentum": 0.8, "weightDecay": 0.2},
    "RMSprop/centered": {"lr": 0.02, "alpha": 0.9, "momentum": 0.5, "centered": True, "eps": 1e-3},
    "Rprop/default": {},
    "Rprop/options": {"lr": 0.1, "etas": [0.4, 1.5], "stepSizes": [1e-3, 0.3]},
    "ASGD/default": {},
    "ASGD/options": {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 5, "weightDecay": 0.1},
    "Adafactor/default": {},
    "Adafactor/options": {"lr": 0.1, "beta2Decay": -0.5, "eps": [1e-3, 0.1], "d": 1.5, "weightDecay": 0.2, "maximize": True},
    "LBFGS/default": {"maxIter": 3},
    "LBFGS/fixed": {"lr": 0.3, "maxIter": 2, "historySize": 3},
    "LBFGS/wolfe": {"maxIter": 2, "lineSearchFn": "strong_wolfe"},
    "LBFGS/wolfeFar": {"lr": 20.0, "maxIter": 3, "lineSearchFn": "strong_wolfe", "historySize": 2},
    "Lion/default": {"lr": 0.01},
    "Lion/options": {"lr": 0.05, "betas": [0.8, 0.7], "weightDecay": 0.2},
    "LAMB/default": {},
    "LAMB/options": {"lr": 0.1, "betas": [0.8, 0.9], "eps": 1e-3, "weightDecay": 0.2},
    "LARS/default": {"weightDecay": 0.1},
    "LARS/options": {"lr": 1.0, "momentum": 0.5, "trustCoefficient": 0.02, "nesterov": True},
    "Muon/default": {},
    "Muon/options": {"lr": 0.05, "momentum": 0.8, "nesterov": False, "nsSteps": 3, "weightDecay": 0.2, "adjustLrFn": "match_rms_adamw"},
    "ScheduleFreeAdamW/default": {},
    "ScheduleFreeAdamW/options": {"lr": 0.1, "betas": [0.8, 0.9], "warmupSteps": 7, "weightDecay": 0.1, "r": 1.0},
    "SAM/sgd": {"rho": 0.1, "base": {"lr": 0.05, "momentum": 0.9}},
    "SAM/adaptive": {"rho": 0.5, "adaptive": True, "base": {"lr": 0.05}},
    "Lookahead/sgd": {"k": 3, "alpha": 0.4, "base": {"lr": 0.05, "momentum": 0.9}},
}


def snake(name):
    return re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def regularized(method):
    """A method on top of which come the options of regularisation."""

    def make(params, o):
        o = dict(o)
        l1, mode, max_norm = o.pop("l1", 0), o.pop("l1Mode", "loss"), o.pop("maxNorm", None)
        lr = o["lr"]
        inner = method(params, o)

        def step(evaluate):
            def penalized():
                loss = evaluate()
                for p in params:
                    if mode == "loss":
                        p.grad.add_(l1 * p.detach().sign())
                return loss

            inner(penalized)
            for p in params:
                d = p.data
                if mode == "decoupled":
                    d.sub_(lr * l1 * d.sign())
                elif mode == "proximal":
                    d.copy_(d.sign() * (d.abs() - lr * l1).clamp(min=0))
                if max_norm is not None and d.dim() > 1:
                    norm = d.flatten(1).norm(dim=1).reshape(-1, *[1] * (d.dim() - 1))
                    d.mul_((max_norm / norm).clamp(max=1))

        return step

    return make


def sgd(params, o):
    decay = o.get("weightDecay", 0) if o.get("decoupledWeightDecay") else 0
    plain = {k: v for k, v in o.items() if k != "decoupledWeightDecay" and not (decay and k == "weightDecay")}
    optimizer = torch.optim.SGD(params, **{snake(k): v for k, v in plain.items()})

    def step(evaluate):
        evaluate()
        for p in params:
            p.data.mul_(1 - o["lr"] * decay)
        optimizer.step()

    return step


def each(fn, fresh):
    """A method made of an update of one parameter with its own state and count."""

    def make(params, o):
        states = [fresh(p) for p in params]
        count = [0]

        def step(evaluate):
            evaluate()
            count[0] += 1
            for p, s in zip(params, states):
                fn(p.data, p.grad, s, count[0], o)

        return step

    return make


def lion(p, g, s, t, o):
    lr, (b1, b2) = o["lr"], o.get("betas", (0.9, 0.99))
    p.mul_(1 - lr * o.get("weightDecay", 0)).sub_(lr * (b1 * s["m"] + (1 - b1) * g).sign())
    s["m"] = b2 * s["m"] + (1 - b2) * g


def lamb(p, g, s, t, o):
    lr, (b1, b2), eps, wd = o.get("lr", 1e-3), o.get("betas", (0.9, 0.999)), o.get("eps", 1e-6), o.get("weightDecay", 0)
    s["m"] = b1 * s["m"] + (1 - b1) * g
    s["v"] = b2 * s["v"] + (1 - b2) * g * g
    r = (s["m"] / (1 - b1**t)) / ((s["v"] / (1 - b2**t)).sqrt() + eps) + wd * p
    p.sub_(lr * p.norm() / r.norm() * r)


def lars(p, g, s, t, o):
    lr, mu, trust, wd = o.get("lr", 0.1), o.get("momentum", 0.9), o.get("trustCoefficient", 0.001), o.get("weightDecay", 0)
    d = trust * p.norm() / (g.norm() + wd * p.norm() + 1e-8) * (g + wd * p)
    s["m"] = mu * s["m"] + d
    p.sub_(lr * (d + mu * s["m"] if o.get("nesterov") else s["m"]))


def muon(p, g, s, t, o):
    lr, mu, wd = o.get("lr", 1e-3), o.get("momentum", 0.95), o.get("weightDecay", 0.1)
    s["m"] = mu * s["m"] + (1 - mu) * g
    d = (1 - mu) * g + mu * s["m"] if o.get("nesterov", True) else s["m"]
    x = d.T if d.size(0) > d.size(1) else d
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(o.get("nsSteps", 5)):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    x = x.T if d.size(0) > d.size(1) else x
    rows, columns = p.shape
    original = o.get("adjustLrFn", "original") == "original"
    ratio = max(1, rows / columns) ** 0.5 if original else 0.2 * max(rows, columns) ** 0.5
    p.mul_(1 - lr * wd).sub_(lr * ratio * x)


def schedule_free(p, g, s, t, o):
    lr, (b1, b2), wd = o.get("lr", 0.0025), o.get("betas", (0.9, 0.999)), o.get("weightDecay", 0)
    lr *= min(1, t / max(1, o.get("warmupSteps", 0)))
    # p is y; x is recovered from y = (1 - b1) z + b1 x
    x = (p - (1 - b1) * s["z"]) / b1
    s["v"] = b2 * s["v"] + (1 - b2) * g * g
    d = g / ((s["v"] / (1 - b2**t)).sqrt() + 1e-8) + wd * p
    s["z"] = s["z"] - lr * d
    s["lrMax"] = max(lr, s["lrMax"])
    w = t ** o.get("r", 0) * s["lrMax"] ** 2
    s["sum"] += w
    c = w / s["sum"]
    x = (1 - c) * x + c * s["z"]
    p.copy_((1 - b1) * s["z"] + b1 * x)


def sam(params, o):
    optimizer = torch.optim.SGD(params, **o["base"])

    def step(evaluate):
        evaluate()
        old = [p.data.clone() for p in params]
        scale = [p.data.abs() if o.get("adaptive") else torch.ones_like(p) for p in params]
        norm = sum(((s * p.grad) ** 2).sum() for p, s in zip(params, scale)).sqrt()
        for p, s in zip(params, scale):
            p.data.add_(o["rho"] / (norm + 1e-12) * s * s * p.grad)
        evaluate()
        for p, v in zip(params, old):
            p.data.copy_(v)
        optimizer.step()

    return step


def lookahead(params, o):
    optimizer = torch.optim.SGD(params, **o["base"])
    slow = [p.data.clone() for p in params]
    count = [0]

    def step(evaluate):
        evaluate()
        optimizer.step()
        count[0] += 1
        if count[0] % o["k"] == 0:
            for p, s in zip(params, slow):
                s.add_(o["alpha"] * (p.data - s))
                p.data.copy_(s)

    return step


def builtin(name):
    def make(params, o):
        optimizer = getattr(torch.optim, name)(params, **{snake(k): v for k, v in o.items()})
        if name == "LBFGS":
            return optimizer.step

        def step(evaluate):
            evaluate()
            optimizer.step()

        return step

    return make


OWN = {
    "SGD": regularized(sgd),
    "Lion": each(lion, lambda p: {"m": torch.zeros_like(p)}),
    "LAMB": each(lamb, lambda p: {"m": torch.zeros_like(p), "v": torch.zeros_like(p)}),
    "LARS": each(lars, lambda p: {"m": torch.zeros_like(p)}),
    "Muon": each(muon, lambda p: {"m": torch.zeros_like(p)}),
    "ScheduleFreeAdamW": each(schedule_free, lambda p: {"z": p.detach().clone(), "v": torch.zeros_like(p), "lrMax": 0, "sum": 0}),
    "SAM": sam,
    "Lookahead": lookahead,
}

results = {"start": START, "curvature": CURVATURE, "cases": {}}
for key, options in CASES.items():
    name = key.split("/")[0]
    # Muon takes matrices only.
    count = 1 if name == "Muon" else 2
    params = [torch.tensor(p, dtype=f64, requires_grad=True) for p in START[:count]]
    curvature = [torch.tensor(c, dtype=f64) for c in CURVATURE[:count]]
    step = OWN.get(name, builtin(name))(params, options)

    def evaluate():
        for p in params:
            p.grad = None
        loss = sum((0.5 * c * p * p + (3 * p).sin()).sum() for p, c in zip(params, curvature))
        loss.backward()
        return loss

    trajectory = []
    for _ in range(20):
        step(evaluate)
        trajectory.append([v for p in params for v in p.detach().flatten().tolist()])
    results["cases"][key] = {"options": options, "trajectory": trajectory}

out = pathlib.Path(__file__).with_name("optim.json")
head = {k: v for k, v in results.items() if k != "cases"}
lines = [f"    {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in results["cases"].items()]
out.write_text(json.dumps(head)[:-1] + ', "cases": {\n' + ",\n".join(lines) + "\n}}\n")
