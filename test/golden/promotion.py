"""Writes promotion.json: torch.result_type of tensors with dimensions, scalar tensors and numbers.

Needs PyTorch; run by hand, the result is committed.
"""

import itertools
import json
import pathlib

import torch

DTYPES = ["float32", "float64", "float16", "bfloat16", "int32", "int64", "uint8", "bool"]
NUMBERS = [2, 2.5, True]


def make(operand):
    if "value" in operand:
        return operand["value"]
    return torch.zeros(operand["shape"], dtype=getattr(torch, operand["dtype"]))


tensors = [{"dtype": dtype, "shape": shape} for dtype in DTYPES for shape in ([2], [])]
numbers = [{"value": value} for value in NUMBERS]
pairs = [*itertools.product(tensors, tensors), *itertools.product(tensors, numbers), *itertools.product(numbers, tensors)]
results = []
for operands in pairs:
    result = torch.result_type(*map(make, operands))
    results.append({"operands": operands, "result": str(result).removeprefix("torch.")})
lines = [json.dumps(result, separators=(",", ":")) for result in results]
pathlib.Path(__file__).with_name("promotion.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
