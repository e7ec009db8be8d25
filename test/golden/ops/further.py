"""Goldens of the sample family `further`: what PyTorch computes. See case.py."""

import torch
from case import *  # noqa: F403

L = torch.linalg
ALIASES = {
    "absolute": torch.absolute, "negative": torch.negative, "fix": torch.fix, "arccos": torch.arccos, "arccosh": torch.arccosh,
    "arcsin": torch.arcsin, "arcsinh": torch.arcsinh, "arctan": torch.arctan, "arctanh": torch.arctanh,
}
for name, fn in ALIASES.items():
    low, high = (1.1, 4) if name == "arccosh" else (-1, 1) if name[:5] in ("arcsi", "arcco") or name == "arctanh" else (-4, 4)
    case(f"{name}/matrix", fn, X(2, 3, low=low, high=high))
BINARY = {
    "subtract": torch.subtract, "multiply": torch.multiply, "divide": torch.divide, "trueDivide": torch.true_divide, "arctan2": torch.arctan2,
    "greater": torch.greater, "greaterEqual": torch.greater_equal, "less": torch.less, "lessEqual": torch.less_equal, "notEqual": torch.not_equal,
}
for name, fn in BINARY.items():
    case(f"{name}/broadcast", fn, X(2, 3), X(3))
case("clip/both", lambda x: torch.clip(x, -1, 2), X(2, 3))
case("clip_/both", lambda x: torch.clip(x, -1, 2), X(2, 3), grad=False)
case("concat/columns", lambda a, b: torch.concat([a, b], 1), X(2, 3), X(2, 1))
case("concatenate/rows", lambda a, b: torch.concatenate([a, b]), X(2, 3), X(1, 3))
for name in "relu sigmoid tanh sin cos expm1 log1p floor ceil round trunc".split():
    low = -0.9 if name == "log1p" else -4
    case(f"{name}_/matrix", getattr(torch, name), X(2, 3, low=low), grad=False)
    case(f"{name}_/empty", getattr(torch, name), X(2, 0), grad=False)
for name in ("isposinf", "isneginf"):
    case(f"{name}/special", getattr(torch, name), D(SPECIAL))
    case(f"{name}/int64", getattr(torch, name), I([1, -1, 2**63 - 1, -(2**63)]))
    case(f"{name}/empty", getattr(torch, name), X(0))
case("heaviside/broadcast", torch.heaviside, D([[1.5, -2, 0.0], [0, -0.0, 3]]), D([0.5, 2, -1]), grad=False)
case("heaviside/special", torch.heaviside, D(SPECIAL), D(0.5), grad=False)
case("heaviside/int64", torch.heaviside, I([-2, 0, 5]), I([7, 8, 9]))
case("ldexp/broadcast", torch.ldexp, X(2, 3), I([1, -2, 3]), grad=False)
case("ldexp/floats", torch.ldexp, X(2, 3), X(3))
case("floatPower/tensors", torch.float_power, X(2, 3, low=0.1), X(3))
case("floatPower/int64", lambda x: torch.float_power(x, 2), I([2, -3, 0]))
case("floatPower/base", lambda x: torch.float_power(2, x), I([2, -3, 0]))
for name, p in {"two": 2, "one": 1, "three": 3, "zero": 0}.items():
    case(f"dist/{name}", lambda a, b, p=p: torch.dist(a, b, p), X(2, 3), X(3), grad=p != 0)
case("dist/inf", lambda a, b: torch.dist(a, b, inf), X(2, 3), X(2, 3))
for name, args in {"two": (2, 0, 3), "one": (1, 1, 2), "last": (2, -1, 1e9), "half": (0.5, 0, 4)}.items():
    case(f"renorm/{name}", lambda x, a=args: torch.renorm(x, *a), X(3, 4))
case("renorm/three", lambda x: torch.renorm(x, 2, 1, 2.5), X(2, 3, 2))
for name, shape in {"vector": (3,), "matrix": (2, 2), "empty": (0,)}.items():
    case(f"diagflat/{name}", torch.diagflat, X(*shape))
case("diagflat/offset", lambda x: torch.diagflat(x, -2), X(2))
case("isin/matrix", torch.isin, X(2, 3), D([1.0, 2.0]))
case("isin/found", torch.isin, D([1.0, 5, 3, -1, nan]), D([[3.0, nan], [1, 1]]))
case("isin/int64", torch.isin, I([[1, 2], [3, 2**62]]), I([2, 2**62, 9]))
case("isin/invert", lambda a, b: torch.isin(a, b, invert=True), I([1, 2, 3]), I([3, 1]))
case("isin/nothing", torch.isin, I([1, 2]), I([]))
case("cov/matrix", torch.cov, X(3, 5))
case("cov/vector", torch.cov, X(4))
case("cov/correction", lambda x: torch.cov(x, correction=0), X(2, 3))
case("cov/frequencies", lambda x, f: torch.cov(x, fweights=f), X(2, 4), I([1, 2, 3, 1]))
case("cov/weights", lambda x, f, a: torch.cov(x, fweights=f, aweights=a), X(2, 4), I([1, 2, 3, 1]), X(4, low=0.1), grad=False)
case("cov/importances", lambda x, a: torch.cov(x, aweights=a), X(2, 4), X(4, low=0.1), grad=False)
case("corrcoef/matrix", torch.corrcoef, X(3, 5))
case("corrcoef/vector", torch.corrcoef, X(4), grad=False)
case("logspace/ten", lambda: torch.logspace(-1, 2, 5, dtype=f64))
case("logspace/two", lambda: torch.logspace(0, 8, 5, base=2, dtype=f64))
case("logspace/one", lambda: torch.logspace(1, 2, 1, dtype=f64))
for name in ("hann", "hamming", "blackman", "bartlett"):
    fn = getattr(torch, f"{name}_window")
    for label, n, periodic in (("periodic", 6, True), ("symmetric", 7, False), ("one", 1, True), ("none", 0, True)):
        case(f"{name}Window/{label}", lambda fn=fn, n=n, periodic=periodic: fn(n, periodic=periodic, dtype=f64))
case("sum/dtype", lambda x: torch.sum(x, 1, dtype=f64), I([[1, 2], [3, 4]]))
case("sum/dtypeInt", lambda x: torch.sum(x, dtype=i32), D([1.5, 2.5, -3.5]), grad=False)
case("mean/dtype", lambda x: torch.mean(x, 0, keepdim=True, dtype=f64), I([[1, 2], [4, 4]]))
case("prod/dtype", lambda x: torch.prod(x, 0, dtype=f64), I([[1, 2], [4, 4]]))
case("cumsum/dtype", lambda x: torch.cumsum(x, 0, dtype=f64), I([1, 2, 3]))
case("cumprod/dtype", lambda x: torch.cumprod(x, 0, dtype=i32), D([1.5, 2.5, 3.5]), grad=False)
for label, dtype in (("int64", i64), ("int32", i32)):
    case(f"hardtanh/{label}", lambda x: F.hardtanh(x, -2, 3), I([-5, -2, 0, 3, 9], dtype))
    case(f"threshold/{label}", lambda x: F.threshold(x, 1, -7), I([-5, 1, 2, 3, 9], dtype))
case("cosineSimilarity/clamped", lambda a, b: F.cosine_similarity(a, b, dim=-1, eps=3.0), X(3, 2), X(3, 2))
for name, shape in {"matrix": (3, 3), "batch": (2, 2, 2), "one": (1, 1), "empty": (0, 0)}.items():
    case(f"linalg.matrixExp/{name}", L.matrix_exp, X(*shape, low=-2, high=2))
case("linalg.matrixExp/large", L.matrix_exp, X(4, 4, low=-6, high=6))
case("linalg.multiDot/three", lambda a, b, c: L.multi_dot([a, b, c]), X(2, 5), X(5, 1), X(1, 4))
case("linalg.multiDot/two", lambda a, b: L.multi_dot([a, b]), X(2, 3), X(3, 2))
case("linalg.multiDot/vectors", lambda a, b, c, d: L.multi_dot([a, b, c, d]), X(3), X(3, 2), X(2, 4), X(4))
case("linalg.vecdot/broadcast", lambda a, b: L.vecdot(a, b), X(2, 3), X(3))
case("linalg.vecdot/dim", lambda a, b: L.vecdot(a, b, dim=0), X(2, 3), X(2, 3))
case("logdet/matrix", lambda x: torch.logdet(x @ x.mT + torch.eye(3)), X(3, 3))
case("logdet/batch", torch.logdet, D([[[1.0, 0], [0, 2]], [[0, 1], [1, 0]], [[1, 1], [1, 1]]]), grad=False)
case("linalg.tensorinv/two", lambda x: L.tensorinv(x.reshape(2, 3, 6) + 3 * torch.eye(6).reshape(2, 3, 6)), X(6, 6))
case("linalg.tensorsolve/two", lambda a, b: L.tensorsolve(a.reshape(2, 3, 6) + 6 * torch.eye(6).reshape(2, 3, 6), b), X(6, 6), X(2, 3))
case("linalg.norm/all", lambda x: L.norm(x), X(2, 3, 2))
case("linalg.norm/matrix", lambda x: L.norm(x, "nuc"), X(2, 3))
case("linalg.norm/vector", lambda x: L.norm(x, 3), X(4))
case("linalg.norm/dim", lambda x: L.norm(x, 1, 1, keepdim=True), X(2, 3))
case("linalg.norm/dims", lambda x: L.norm(x, inf, (0, 2)), X(2, 3, 2))
case("linalg.norm/kinkZero", lambda x: L.norm(x), D([[0.0, 0], [0, 0]]))
case("linalg.cond/singular", lambda x: L.cond(x, 1), D([[[1.0, 2], [2, 4]], [[1, 2], [3, 4]]]), grad=False)

write(__file__)
