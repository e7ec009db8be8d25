"""Writes format.json: how PyTorch prints tensors, to compare with. Needs PyTorch; run by hand, the result is committed."""

import json
import math
import pathlib
import re

import torch

f32, f64 = torch.float32, torch.float64
nan, inf = math.nan, math.inf
torch.manual_seed(0)

CASES = [
    torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
    torch.tensor(3.5),
    torch.tensor(-7),
    torch.tensor(True),
    torch.tensor(nan),
    torch.tensor(1e-5),
    torch.tensor([]),
    torch.zeros(3),
    torch.zeros(2, 3, dtype=torch.int64),
    torch.tensor([0.0, nan, inf, -inf]),
    torch.tensor([-0.0, 1.0]),
    torch.tensor([-0.0, 0.5]),
    torch.tensor([1.0, nan, -inf]),
    torch.tensor([1.5, nan, inf]),
    torch.tensor([1e-5, 1.0]),
    torch.tensor([1.0, 1001.0]),
    torch.tensor([1.0, 1000.0]),
    torch.tensor([0.001, 1.0]),
    torch.tensor([1e8, 5e7]),
    torch.tensor([2e8, 1e8]),
    torch.tensor([1e38, -1e-38, nan]),
    torch.tensor([1e300, 1e-300, -1e-100], dtype=f64),
    torch.tensor([0.03125, 0.09375, 0.15625, -0.21875, 0.5]),
    torch.tensor([2.03125, 2.09375, -1.71875, 33.28125]),
    torch.tensor([1.00005, 2.00015, 3.00025], dtype=f64),
    torch.tensor([100005.0, 100015.0, 2.0], dtype=f64),
    torch.tensor([9.99995, 0.99995], dtype=f64),
    torch.tensor([1000025000.0, 1000035000.0, 9999950000.0], dtype=f64),
    torch.tensor([0.1, 0.2, 0.3], dtype=torch.float16),
    torch.tensor([0.1, 0.2, 300.0], dtype=torch.bfloat16),
    torch.tensor([1, -200, 30], dtype=torch.int32),
    torch.tensor([9007199254740993, -1], dtype=torch.int64),
    torch.tensor([0, 255], dtype=torch.uint8),
    torch.tensor([[True, False], [False, False]]),
    torch.arange(25.0),
    torch.arange(60.0) / 7,
    torch.arange(40, dtype=torch.int32) * 1000,
    torch.randn(2, 3, 4),
    torch.randn(2, 1, 2, 13),
    torch.randn(1, 1, 1, 1),
    torch.arange(1000.0),
    torch.arange(1001.0),
    torch.arange(2000, dtype=torch.int64).reshape(2, 1000),
    torch.arange(1500.0).reshape(500, 3) / 8,
    torch.arange(4800.0).reshape(20, 30, 8),
    torch.arange(1296, dtype=torch.int32).reshape(6, 6, 6, 6),
    torch.arange(2520, dtype=torch.int32).reshape(3, 7, 2, 60),
    (torch.arange(2400) % 3 == 0).reshape(40, 60),
]


def value(x):
    if isinstance(x, float) and not math.isfinite(x):
        return str(x)
    if isinstance(x, int) and not isinstance(x, bool) and abs(x) > 2**53 - 1:
        return str(x)
    return "-0" if isinstance(x, float) and x == 0 and math.copysign(1, x) < 0 else x


def main():
    rows = []
    for t in CASES:
        text = str(t).removesuffix(")")
        text = re.sub(r",\s+(size|dtype)=.*$", "", text, flags=re.DOTALL)
        if t.dtype == torch.bool:
            text = text.lower()
        flat = [value(x) for x in t.flatten().tolist()]
        # Long inputs are counted up, so that the file stays small: value i is i * step.
        row = {"shape": list(t.shape), "dtype": str(t.dtype)[6:], "text": text}
        if len(flat) > 100 and t.dtype != torch.bool:
            row["step"] = flat[1]
        elif len(flat) > 100:
            row["every"] = 3
        else:
            row["values"] = flat
        rows.append(row)
    path = pathlib.Path(__file__).with_name("format.json")
    path.write_text(json.dumps(rows, indent=1) + "\n")


main()
