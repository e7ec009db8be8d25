"""What the golden scripts of this folder share: inputs, cases, and writing them.

Each script writes <family>.json: inputs, results and gradients of the family's ops, as PyTorch computes them in float64.

Needs PyTorch; run by hand, the result is committed. A case is one line of the file:

    "add/broadcast": {"inputs": [...], "outputs": [...], "cotangents": [...], "grads": [...]}

`cotangents` are the gradients of the outputs that were fed to backward, `grads` those that came out for the inputs (null:
none). Inputs lie on a grid of odd multiples of 1/64, without repeats, so that they are exact in every float dtype, and
no case meets a kink (0, an integer, a tie) unless its name says so.
"""

import json
import math
import pathlib
import random
import re

import torch
import torch.nn.functional as F

f64, i64, i32, u8 = torch.float64, torch.int64, torch.int32, torch.uint8
nan, inf = math.nan, math.inf
SPECIAL = [nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 100.0, -100.0, 1e-3, 1e30, -1e30]


class X:
    """A float64 input with values of the grid between low and high."""

    def __init__(self, *shape, low=-4.0, high=4.0):
        self.shape, self.low, self.high = shape, low, high

    def make(self, rng, used):
        count = math.prod(self.shape)
        for scale in (64, 1024, 16384):
            grid = [k for k in range(math.ceil(self.low * scale), math.floor(self.high * scale)) if k % 2 and k / scale not in used]
            if len(grid) >= count:
                values = [k / scale for k in rng.sample(grid, count)]
                used.update(values, (-v for v in values))
                return torch.tensor(values, dtype=f64).reshape(self.shape)
        raise ValueError(f"no grid for {self.shape}")


class Formula:
    """A large input that is computed on both sides: element i is ((i * step) % 257 - 128) / 64."""

    def __init__(self, *shape, step):
        self.shape, self.step = shape, step

    def make(self, _rng, _used):
        values = [((i * self.step) % 257 - 128) / 64 for i in range(math.prod(self.shape))]
        return torch.tensor(values, dtype=f64).reshape(self.shape)


def I(values, dtype=i64):
    return torch.tensor(values, dtype=dtype)


def D(values):
    return torch.tensor(values, dtype=f64)


def B(values):
    return torch.tensor(values, dtype=torch.bool)


def number(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)
    return value


def plain(t, spec=None):
    if t is None:
        return None
    dtype = str(t.dtype).removeprefix("torch.")
    if isinstance(spec, Formula):
        return {"shape": list(t.shape), "dtype": dtype, "step": spec.step}
    return {"shape": list(t.shape), "dtype": dtype, "data": [number(v) for v in t.detach().contiguous().flatten().tolist()]}


results = {}


def case(key, fn, *specs, grad=True):
    assert key not in results, key
    rng, used = random.Random(key), set()
    tensors = [spec.make(rng, used) if hasattr(spec, "make") else spec.clone() for spec in specs]
    golden = {"inputs": [plain(t, spec) for t, spec in zip(tensors, specs)]}
    if grad:
        for t in tensors:
            if t.is_floating_point():
                t.requires_grad_()
    outputs = fn(*tensors)
    outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
    golden["outputs"] = [plain(out) for out in outputs]
    roots = [out for out in outputs if out.is_floating_point() and out.requires_grad]
    if roots:
        cotangents = [torch.tensor([rng.choice([-1, 1]) * (2 * rng.randrange(64) + 1) / 64 for _ in range(out.numel())], dtype=f64).reshape(out.shape) for out in roots]
        wanted = [t for t in tensors if t.requires_grad]
        grads = iter(torch.autograd.grad(roots, wanted, cotangents, allow_unused=True))
        golden["cotangents"] = [plain(c) for c in cotangents]
        golden["grads"] = [plain(next(grads)) if t.requires_grad else None for t in tensors]
    results[key] = golden


def write(script):
    """Writes the cases to the script's .json. Call as write(__file__)."""
    out = pathlib.Path(script).with_suffix(".json")
    lines = [f"  {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in results.items()]
    out.write_text("{\n" + re.sub(r"(\d)\.0(?=[,\]])", r"\1", ",\n".join(lines)) + "\n}\n")
    print(f"{len(results)} cases, {out.stat().st_size} bytes, PyTorch {torch.__version__}")
