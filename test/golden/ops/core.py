"""Writes core.json, the goldens of the first ops. Needs PyTorch; run by hand, the result is committed."""

import math

import torch
import torch.nn.functional as F

from case import SPECIAL, B, D, Formula, I, X, case, f64, i32, i64, inf, nan, u8, write

# ---- elementwise, one operand
UNARY = {
    "neg": torch.neg, "abs": torch.abs, "sign": torch.sign, "square": torch.square, "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal, "exp": torch.exp, "exp2": torch.exp2, "expm1": torch.expm1,
    "log": torch.log, "log2": torch.log2, "log10": torch.log10, "log1p": torch.log1p, "sin": torch.sin,
    "cos": torch.cos, "tan": torch.tan, "tanh": torch.tanh, "erf": torch.erf, "sigmoid": torch.sigmoid,
    "floor": torch.floor, "ceil": torch.ceil, "round": torch.round, "trunc": torch.trunc, "relu": torch.relu,
    "gelu": F.gelu, "silu": F.silu,
    "expr.asin": torch.asin, "expr.acos": torch.acos, "expr.atan": torch.atan, "expr.sinh": torch.sinh,
    "expr.cosh": torch.cosh, "expr.asinh": torch.asinh, "expr.acosh": torch.acosh, "expr.atanh": torch.atanh,
    "expr.erfc": torch.erfc,
}
RANGES = {
    "sqrt": (0, 4), "rsqrt": (0.25, 4), "log": (0, 4), "log2": (0, 4), "log10": (0, 4), "log1p": (-0.75, 4),
    "tan": (-1.25, 1.25), "reciprocal": (0.25, 4), "expr.asin": (-0.875, 0.875), "expr.acos": (-0.875, 0.875),
    "expr.acosh": (1.25, 4), "expr.atanh": (-0.875, 0.875),
}
for name, fn in UNARY.items():
    low, high = RANGES.get(name, (-4, 4))
    case(f"{name}/matrix", fn, X(3, 5, low=low, high=high))
    case(f"{name}/scalar", fn, X(low=low, high=high))
    case(f"{name}/empty", fn, X(0, 3))
    special = SPECIAL
    if name == "sign":  # PyTorch makes NaN 0, here it stays
        special = SPECIAL[1:]
    if name in ("sin", "cos", "tan"):  # 1e30 needs a reduction of the argument beyond float32's range of use
        special = [v for v in SPECIAL if abs(v) != 1e30]
    case(f"{name}/special", fn, D(special), grad=False)
for name, fn in {"neg": torch.neg, "abs": torch.abs, "sign": torch.sign, "square": torch.square, "floor": torch.floor, "relu": torch.relu}.items():
    case(f"{name}/int64", fn, I([-3, 0, 5, 2**40]))
    case(f"{name}/int32", fn, I([-3, 0, 5], i32))
for name in ("sqrt", "exp", "sigmoid", "sin", "log", "reciprocal"):
    case(f"{name}/int64", lambda x, fn=UNARY[name]: fn(x).to(torch.float64), I([1, 2, 7]))
case("round/halves", torch.round, D([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999999999999994]), grad=False)
case("relu/kink", torch.relu, D([-1.0, 0.0, -0.0, 2.0]))
case("abs/kink", torch.abs, D([-1.0, 0.0, -0.0, 2.0]))
case("sqrt/kink", torch.sqrt, D([0.0, 4.0]))
case("gelu/tail", F.gelu, D([-10.0, -6.0, -5.0, 5.0, 10.0]), grad=False)
case("expm1/small", torch.expm1, D([1e-10, -1e-10, 1e-17]))
case("log1p/small", torch.log1p, D([1e-10, -1e-10, 1e-17]))
case("clamp/both", lambda x: x.clamp(-1, 1.5), X(3, 5))
case("clamp/min", lambda x: x.clamp(min=0.5), X(3, 5))
case("clamp/max", lambda x: x.clamp(max=0.5), X(3, 5))
case("clamp/crossed", lambda x: x.clamp(2, -1), X(5), grad=False)
case("clamp/kink", lambda x: x.clamp(-1, 1.5), D([-1.0, 1.5, 0.0, 2.0, nan]))
case("clamp/special", lambda x: x.clamp(-1, 1.5), D(SPECIAL), grad=False)
case("clamp/int64", lambda x: x.clamp(min=0), I([-3, 0, 2**60 + 1]))
case("clamp/int32", lambda x: x.clamp(-1, 1), I([-3, 0, 7], i32))
case("clamp/intFraction", lambda x: x.clamp(min=0.5).to(f64), I([-3, 0, 7]))
case("clamp/empty", lambda x: x.clamp(-1, 1), X(0, 3))

# ---- elementwise, two operands
BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow,
    "maximum": torch.maximum, "minimum": torch.minimum, "remainder": torch.remainder, "floorDivide": torch.floor_divide,
    "expr.fmod": torch.fmod, "expr.atan2": torch.atan2, "expr.hypot": torch.hypot, "expr.fmax": torch.fmax,
    "expr.fmin": torch.fmin, "expr.copysign": torch.copysign,
}
for name, fn in BINARY.items():
    a = {"low": 0.25, "high": 4} if name == "pow" else {}
    b = {"low": -2, "high": 2} if name == "pow" else {"low": 0.5, "high": 3} if name == "div" else {"low": 2, "high": 4} if name in ("remainder", "floorDivide", "expr.fmod") else {}
    n = 2.5 if name != "pow" else 1.5
    t = torch.tensor(n, dtype=f64)
    g = name != "floorDivide"  # PyTorch has no gradient for it; here it is 0
    case(f"{name}/matrix", fn, X(3, 5, **a), X(3, 5, **b), grad=g)
    case(f"{name}/broadcast", fn, X(4, 1, 3, **a), X(2, 3, **b), grad=g)
    case(f"{name}/outer", fn, X(5, 1, **a), X(1, 4, **b), grad=g)
    case(f"{name}/scalar", fn, X(2, 3, **a), X(**b), grad=g)
    case(f"{name}/scalars", fn, X(**a), X(**b), grad=g)
    case(f"{name}/number", lambda x, fn=fn, t=t: fn(x, t), X(3, 5, **a), grad=g)
    case(f"{name}/numberLeft", lambda x, fn=fn, t=t: fn(t, x), X(3, 5, **b), grad=g)
    case(f"{name}/empty", fn, X(0, 3), X(1, 3), grad=g)
    values = [nan, inf, -inf, 0.0, -0.0, 1.0, -2.5, 3.0]
    case(f"{name}/special", fn, D([[v] for v in values]), D([values]), grad=False)
for name in ("add", "sub", "mul", "maximum", "minimum", "remainder", "floorDivide", "expr.fmod"):
    fn = BINARY[name]
    for label, dtype in (("int64", i64), ("int32", i32)):
        case(f"{name}/{label}", fn, I([7, -7, 7, -7, 6, 0], dtype), I([3, 3, -3, -3, 2, 5], dtype))
    case(f"{name}/uint8", fn, I([7, 250, 0, 9], u8), I([3, 10, 1, 9], u8))
case("add/bool", torch.add, B([True, True, False]), B([True, False, False]))
case("mul/bool", torch.mul, B([True, True, False]), B([True, False, False]))
case("add/wrap", torch.add, I([2**63 - 1, 2**62]), I([1, 2**62]))
case("mul/wrap32", torch.mul, I([2**31 - 1, 65536], i32), I([2, 65536], i32))
case("div/int64", lambda a, b: (a / b).to(f64), I([8, -6, 1]), I([4, 4, 8]))
case("div/intNumber", lambda a: (a / 4).to(f64), I([8, -6, 1]))
case("pow/int64", torch.pow, I([2, -3, 7, 0]), I([10, 3, 0, 2]))
case("pow/square", lambda x: x**2, X(3, 5))
case("pow/cube", lambda x: x**3, X(3, 5))
case("pow/half", lambda x: x**0.5, X(3, 5, low=0.25))
case("pow/minusOne", lambda x: x**-1, X(3, 5, low=0.25))
case("pow/zero", lambda x: x**0, X(3, 5))
case("pow/kink", torch.pow, D([0.0, 0.0, 0.0, -2.0, 2.0]), D([2.0, 0.0, 1.0, 3.0, 0.0]))
case("maximum/kink", torch.maximum, D([1.0, 2.0, 3.0]), D([1.0, 3.0, 2.0]))
case("minimum/kink", torch.minimum, D([1.0, 2.0, 3.0]), D([1.0, 3.0, 2.0]))
case("expr.fmax/kink", torch.fmax, D([1.0, nan, 3.0]), D([1.0, 3.0, nan]))
case("expr.fmin/kink", torch.fmin, D([1.0, nan, 3.0]), D([1.0, 3.0, nan]))
case("mul/same", lambda x: x * x, X(3, 5))
case("add/mixed", torch.add, I([1, 2, 3]), X(2, 3))
case("mul/boolMask", torch.mul, X(2, 3), B([True, False, True]))
case("expr.fma/matrix", lambda a, b, c: a * b + c, X(3, 5), X(3, 5), X(3, 5))
case("expr.fma/broadcast", lambda a, b, c: a * b + c, X(3, 1), X(1, 5), X())
for name, fn in {"bitwiseAnd": torch.bitwise_and, "bitwiseOr": torch.bitwise_or, "bitwiseXor": torch.bitwise_xor}.items():
    case(f"expr.{name}/int64", fn, I([12, -1, 5, 2**40]), I([10, 7, -8, 2**40 + 1]))
    case(f"expr.{name}/uint8", fn, I([12, 255], u8), I([10, 7], u8))
    case(f"expr.{name}/bool", fn, B([True, True, False]), B([True, False, False]))
case("expr.bitwiseNot/int64", torch.bitwise_not, I([12, -1, 0]))
case("expr.bitwiseNot/int32", torch.bitwise_not, I([12, -1, 0], i32))

# The same functions in place: results only.
for name in ("add", "sub", "mul", "div", "pow"):
    a = {"low": 0.25, "high": 4}
    case(f"{name}_/matrix", BINARY[name], X(3, 5, **a), X(3, 5, **a), grad=False)
    case(f"{name}_/broadcast", BINARY[name], X(3, 5, **a), X(5, **a), grad=False)
    case(f"{name}_/number", lambda x, fn=BINARY[name]: fn(x, torch.tensor(1.5, dtype=f64)), X(3, 5, **a), grad=False)

# ---- comparisons, logic
COMPARE = {"eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge}
for name, fn in COMPARE.items():
    values = [nan, inf, -inf, 0.0, -0.0, 1.0, -2.5]
    case(f"{name}/special", fn, D([[v] for v in values]), D([values]), grad=False)
    case(f"{name}/broadcast", fn, D([[1.0], [2.0], [3.0]]), D([1.0, 2.0]), grad=False)
    case(f"{name}/number", lambda x, fn=fn: fn(x, 1.5), D([1.0, 1.5, 2.0]), grad=False)
    case(f"{name}/int64", fn, I([1, 2**60, -5]), I([1, 2**60 + 1, 3]))
    case(f"{name}/intFraction", lambda x, fn=fn: fn(x, 0.5), I([0, 1, -1]))
    case(f"{name}/mixed", fn, I([0, 1, -1]), D([0.5, 1.0, -1.5]), grad=False)
    case(f"{name}/bool", fn, B([True, True, False]), B([True, False, False]))
    case(f"{name}/empty", fn, X(0, 3), X(3), grad=False)
LOGIC = {"logicalAnd": torch.logical_and, "logicalOr": torch.logical_or, "logicalXor": torch.logical_xor}
for name, fn in LOGIC.items():
    case(f"{name}/bool", fn, B([[True], [False]]), B([True, False]))
    case(f"{name}/special", fn, D([[nan], [0.0], [-0.0], [2.0]]), D([nan, 0.0, -0.0, 2.0]), grad=False)
    case(f"{name}/int64", fn, I([0, 1, -7, 2**40]), I([0, 2, 0, 1]))
case("logicalNot/bool", torch.logical_not, B([True, False]))
case("logicalNot/special", torch.logical_not, D(SPECIAL), grad=False)
case("isnan/special", torch.isnan, D(SPECIAL), grad=False)
case("isinf/special", torch.isinf, D(SPECIAL), grad=False)
case("isfinite/special", torch.isfinite, D(SPECIAL), grad=False)
for name, fn in {"isnan": torch.isnan, "isinf": torch.isinf, "isfinite": torch.isfinite}.items():
    case(f"{name}/int64", fn, I([0, 2**60, -1]))
CONDITION = B([[True, False, True], [False, False, True]])
case("where/matrix", torch.where, CONDITION, X(2, 3), X(2, 3))
case("where/broadcast", torch.where, B([[True], [False]]), X(3), X(4, 1, 1))
case("where/number", lambda c, a: torch.where(c, a, 0.5), CONDITION, X(2, 3))
case("where/numbers", lambda c: torch.where(c, 1, 0), CONDITION)
case("where/fractions", lambda c: torch.where(c, 1.5, 0.5).to(f64), CONDITION)
case("where/bools", lambda c: torch.where(c, True, False), CONDITION)
case("where/mixed", torch.where, CONDITION, I([1, 2, 3]), X(2, 3))
case("where/nan", lambda c, a: torch.where(c, a, 0.0), B([True, False]), D([1.0, nan]))
case("where/empty", torch.where, torch.zeros(0, 3, dtype=torch.bool), X(0, 3), X(1))

# ---- copies
case("clone/matrix", torch.clone, X(3, 5))
case("clone/int64", torch.clone, I([1, -(2**60)]))
case("contiguous/permuted", lambda x: x.permute(2, 0, 1).contiguous(), X(2, 3, 4))
case("detach/matrix", lambda x: x.detach(), X(2, 3))
case("to/float", lambda x: x.to(torch.float32).to(f64), X(3, 5))
case("to/int32", lambda x: x.to(i32), D([-2.7, 2.7, 0.0]), grad=False)
case("to/bool", lambda x: x.to(torch.bool), D([0.0, -0.0, 0.1, nan, -5.0]), grad=False)
case("to/fromBool", lambda x: x.to(f64), B([True, False]))
case("to/fromInt64", lambda x: x.to(f64), I([2**53, -3]))
case("copy_/broadcast", lambda a, b: a.clone().copy_(b), X(3, 5), X(3, 1), grad=False)
case("copy_/cast", lambda a, b: a.clone().copy_(b), I([1, 2, 3]), D([1.9, -2.9, 0.5]), grad=False)
case("fill_/matrix", lambda a: a.clone().fill_(2.5), X(3, 5), grad=False)
case("zero_/matrix", lambda a: a.clone().zero_(), X(3, 5), grad=False)

# ---- creation
case("arange/int64", lambda: torch.arange(2, 17, 3))
case("arange/down", lambda: torch.arange(5, -4, -2))
case("arange/fraction", lambda: torch.arange(0, 1, 0.25, dtype=f64))
case("arange/one", lambda: torch.arange(5))
case("linspace/fifty", lambda: torch.linspace(0, 1, 50, dtype=f64))
case("linspace/down", lambda: torch.linspace(3, -2, 7, dtype=f64))
case("linspace/one", lambda: torch.linspace(3, 5, 1, dtype=f64))
case("linspace/two", lambda: torch.linspace(0.1, 0.7, 2, dtype=f64))
case("eye/wide", lambda: torch.eye(3, 5, dtype=f64))
case("eye/tall", lambda: torch.eye(4, 2, dtype=i64))
case("zeros/matrix", lambda: torch.zeros(2, 3, dtype=f64))
case("ones/matrix", lambda: torch.ones(2, 3, dtype=u8))
case("full/matrix", lambda: torch.full((2, 3), -1.25, dtype=f64))
case("full/bool", lambda: torch.full((2,), True))
case("zerosLike/int32", torch.zeros_like, I([1, 2], i32))
case("onesLike/matrix", torch.ones_like, X(2, 3), grad=False)
case("fullLike/matrix", lambda x: torch.full_like(x, 3.5), X(2, 3), grad=False)

# ---- reductions
REDUCE = {"sum": torch.sum, "mean": torch.mean, "amax": torch.amax, "amin": torch.amin}
for name, fn in REDUCE.items():
    case(f"{name}/all", lambda x, fn=fn: fn(x), X(3, 5, 7))
    case(f"{name}/dim0", lambda x, fn=fn: fn(x, 0), X(3, 5))
    case(f"{name}/last", lambda x, fn=fn: fn(x, -1), X(3, 5))
    case(f"{name}/keep", lambda x, fn=fn: fn(x, 1, keepdim=True), X(3, 5, 2))
    case(f"{name}/outer", lambda x, fn=fn: fn(x, (0, 2)), X(3, 5, 2))
    case(f"{name}/inner", lambda x, fn=fn: fn(x, (1, 2), keepdim=True), X(2, 3, 4))
    case(f"{name}/scalar", lambda x, fn=fn: fn(x), X())
    case(f"{name}/emptyKept", lambda x, fn=fn: fn(x, 1), X(0, 3))
    case(f"{name}/special", lambda x, fn=fn: fn(x, 1), D([[1, nan, 3], [inf, -inf, 1], [inf, 1, 2], [-inf, 1, 2], [-0.0, -0.0, -0.0]]), grad=False)
case("sum/empty", lambda x: torch.sum(x), X(0, 3))
case("sum/emptyDim", lambda x: torch.sum(x, 0), X(0, 3))
case("mean/empty", lambda x: torch.mean(x), X(0, 3))
case("sum/long", lambda x: torch.sum(x), Formula(1000, step=37))
case("sum/columns", lambda x: torch.sum(x, 0), Formula(100, 17, step=37))
case("mean/rows", lambda x: torch.mean(x, 1), Formula(17, 100, step=37))
for label, t in {"int64": I([[1, 2**40], [3, -7]]), "int32": I([[1, 2**30], [2**30, 2**30]], i32), "uint8": I([[200, 100], [1, 2]], u8), "bool": B([[True, True], [False, True]])}.items():
    case(f"sum/{label}", lambda x: torch.sum(x, 1), t)
    case(f"prod/{label}", lambda x: torch.prod(x, 1), t)
    case(f"all/{label}", lambda x: torch.all(x, 1).bool(), t)  # PyTorch makes uint8 of uint8
    case(f"any/{label}", lambda x: torch.any(x, 0).bool(), t)
    if label != "bool":
        case(f"amax/{label}", lambda x: torch.amax(x, 1), t)
        case(f"amin/{label}", lambda x: torch.amin(x, 0), t)
        case(f"argmax/{label}", lambda x: torch.argmax(x, 1), t)
        case(f"argmin/{label}", lambda x: torch.argmin(x, 0), t)
        case(f"max/{label}", lambda x: torch.max(x, 1), t)
        case(f"min/{label}", lambda x: torch.min(x, 0), t)
case("prod/all", lambda x: torch.prod(x), X(2, 3, low=0.5, high=2))
case("prod/dim0", lambda x: torch.prod(x, 0), X(3, 5))
case("prod/keep", lambda x: torch.prod(x, 1, keepdim=True), X(3, 4))
case("prod/scalar", lambda x: torch.prod(x), X())
case("prod/empty", lambda x: torch.prod(x), X(0, 3))
case("prod/emptyDim", lambda x: torch.prod(x, 0), X(0, 3))
case("prod/oneZero", lambda x: torch.prod(x, 1), D([[1.5, 0.0, 2.0], [1.0, 2.0, 3.0]]))
case("prod/twoZeros", lambda x: torch.prod(x, 1), D([[1.5, 0.0, 0.0], [0.0, 2.0, 3.0]]))
case("prod/special", lambda x: torch.prod(x, 1), D([[1, nan, 3], [inf, 0, 1], [inf, -1, 2]]), grad=False)
case("amax/kink", lambda x: torch.amax(x, 1), D([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]))
case("amin/kink", lambda x: torch.amin(x, 1), D([[1.0, 1.0, 3.0], [2.0, 2.0, 2.0]]))
for name, fn in {"max": torch.max, "min": torch.min}.items():
    case(f"{name}/all", lambda x, fn=fn: fn(x), X(3, 5))
    case(f"{name}/dim0", lambda x, fn=fn: fn(x, 0), X(3, 5))
    case(f"{name}/keep", lambda x, fn=fn: fn(x, 1, keepdim=True), X(3, 5))
    case(f"{name}/middle", lambda x, fn=fn: fn(x, -2), X(2, 5, 3))
    case(f"{name}/scalar", lambda x, fn=fn: fn(x, 0), X())
    case(f"{name}/emptyKept", lambda x, fn=fn: fn(x, 1), X(0, 3))
    case(f"{name}/kink", lambda x, fn=fn: fn(x, 1), D([[1.0, 3.0, 3.0, 1.0], [2.0, 2.0, 2.0, 2.0]]))
    case(f"{name}/special", lambda x, fn=fn: fn(x, 1), D([[1, nan, 3, nan], [inf, -inf, 1, inf]]), grad=False)
for name, fn in {"argmax": torch.argmax, "argmin": torch.argmin}.items():
    case(f"{name}/all", lambda x, fn=fn: fn(x), X(3, 5), grad=False)
    case(f"{name}/dim0", lambda x, fn=fn: fn(x, 0), X(3, 5), grad=False)
    case(f"{name}/keep", lambda x, fn=fn: fn(x, 1, keepdim=True), X(3, 5), grad=False)
    case(f"{name}/kink", lambda x, fn=fn: fn(x, 1), D([[1, 3, 3, 1], [2, 2, 2, 2]]), grad=False)
    case(f"{name}/special", lambda x, fn=fn: fn(x, 1), D([[1, nan, 3, nan], [inf, -inf, 1, inf]]), grad=False)
    case(f"{name}/long", lambda x, fn=fn: fn(x), Formula(1000, step=37), grad=False)
for name, fn in {"all": torch.all, "any": torch.any}.items():
    case(f"{name}/whole", lambda x, fn=fn: fn(x), D([[1, nan], [0, -0.0]]), grad=False)
    case(f"{name}/keep", lambda x, fn=fn: fn(x, 1, keepdim=True), D([[1, nan], [0, -0.0], [0, 1]]), grad=False)
    case(f"{name}/empty", lambda x, fn=fn: fn(x), X(0, 3), grad=False)
case("variance/all", lambda x: torch.var(x), X(3, 5))
case("variance/dim", lambda x: torch.var(x, 1), X(3, 5))
case("variance/population", lambda x: torch.var(x, 0, correction=0, keepdim=True), X(3, 5))
case("variance/outer", lambda x: torch.var(x, (0, 2)), X(2, 3, 4))
case("variance/one", lambda x: torch.var(x, 1), D([[1.0], [2.0]]), grad=False)
case("variance/special", lambda x: torch.var(x, 1), D([[1, nan], [inf, 1], [1e8, 1e8 + 1]]), grad=False)
case("variance/offset", lambda x: torch.var(x + 1e6, 1), X(3, 5), grad=False)
case("std/all", lambda x: torch.std(x), X(3, 5))
case("std/dim", lambda x: torch.std(x, 1, keepdim=True), X(3, 5))
case("std/population", lambda x: torch.std(x, 0, correction=0), X(3, 5))
case("std/kink", lambda x: torch.std(x, 1), D([[2.0, 2.0, 2.0], [1.0, 2.0, 4.0]]))
case("varMean/dim", lambda x: torch.var_mean(x, 1), X(3, 5))
case("varMean/all", lambda x: torch.var_mean(x, correction=0), X(3, 5))
case("varMean/long", lambda x: torch.var_mean(x, 0), Formula(700, step=37))

# ---- softmax
for name, fn in {"softmax": torch.softmax, "logSoftmax": torch.log_softmax}.items():
    case(f"{name}/last", lambda x, fn=fn: fn(x, -1), X(3, 5))
    case(f"{name}/first", lambda x, fn=fn: fn(x, 0), X(3, 5))
    case(f"{name}/middle", lambda x, fn=fn: fn(x, 1), X(2, 3, 4))
    case(f"{name}/one", lambda x, fn=fn: fn(x, 1), X(3, 1))
    case(f"{name}/scalar", lambda x, fn=fn: fn(x, 0), X())
    case(f"{name}/empty", lambda x, fn=fn: fn(x, 1), X(0, 3))
    case(f"{name}/emptyRow", lambda x, fn=fn: fn(x, 1), X(3, 0))
    case(f"{name}/large", lambda x, fn=fn: fn(x, 1), D([[1e4, 1e4 - 1, 0], [-1e4, -1e4 - 2, -1e4]]))
    case(f"{name}/special", lambda x, fn=fn: fn(x, 1), D([[0, -inf, 1], [nan, 0, 1], [inf, 0, 1], [-inf, -inf, -inf]]), grad=False)
    case(f"{name}/long", lambda x, fn=fn: fn(x, 1), Formula(3, 70, step=37))

# ---- products
case("matmul/matrix", torch.matmul, X(3, 4), X(4, 5))
case("matmul/dot", torch.matmul, X(5), X(5))
case("matmul/matrixVector", torch.matmul, X(3, 5), X(5))
case("matmul/vectorMatrix", torch.matmul, X(5), X(5, 3))
case("matmul/batch", torch.matmul, X(2, 3, 4), X(2, 4, 2))
case("matmul/broadcastBatch", torch.matmul, X(2, 1, 3, 2), X(3, 2, 2))
case("matmul/batchMatrix", torch.matmul, X(2, 3, 4), X(4, 2))
case("matmul/matrixBatch", torch.matmul, X(3, 4), X(2, 4, 2))
case("matmul/batchVector", torch.matmul, X(2, 3, 4), X(4))
case("matmul/vectorBatch", torch.matmul, X(4), X(2, 4, 3))
case("matmul/one", torch.matmul, X(1, 1), X(1, 1))
case("matmul/noInner", torch.matmul, X(3, 0), X(0, 2))
case("matmul/noRows", torch.matmul, X(0, 3), X(3, 2))
case("matmul/noColumns", torch.matmul, X(2, 3), X(3, 0))
case("matmul/noBatch", torch.matmul, X(0, 2, 3), X(3, 2))
case("matmul/odd", torch.matmul, Formula(17, 33, step=37), Formula(33, 9, step=11))
case("matmul/tall", torch.matmul, Formula(67, 5, step=37), Formula(5, 7, step=11))
case("matmul/int64", torch.matmul, I([[1, 2], [3, 2**40]]), I([[5, -6], [7, 8]]))
case("matmul/int32", torch.matmul, I([[1, 2], [3, 4]], i32), I([[5, -6], [7, 8]], i32))
case("matmul/uint8", torch.matmul, I([[100, 2], [3, 4]], u8), I([[5, 6], [7, 8]], u8))
case("matmul/special", torch.matmul, D([[1, inf], [nan, 1], [0, 1]]), D([[1, 0], [1, inf]]), grad=False)
case("linear/bias", F.linear, X(3, 4), X(2, 4), X(2))
case("linear/noBias", F.linear, X(3, 4), X(2, 4))
case("linear/batch", F.linear, X(2, 3, 4), X(5, 4), X(5))
case("linear/vector", F.linear, X(4), X(3, 4), X(3))
case("linear/noRows", F.linear, X(0, 4), X(3, 4), X(3))
case("linear/noFeatures", F.linear, X(2, 0), X(3, 0), X(3))
case("linear/odd", F.linear, Formula(19, 21, step=37), Formula(13, 21, step=11), X(13))

# ---- views
case("reshape/matrix", lambda x: x.reshape(2, -1), X(4, 3))
case("reshape/copy", lambda x: x.t().reshape(-1), X(3, 4))
case("reshape/scalar", lambda x: x.reshape(1, 1), X())
case("reshape/empty", lambda x: x.reshape(3, 0, 2), X(0, 3))
case("view/matrix", lambda x: x.view(6, 2), X(4, 3))
case("flatten/all", lambda x: x.flatten(), X(2, 3, 2))
case("flatten/tail", lambda x: x.flatten(1), X(2, 3, 2))
case("permute/three", lambda x: x.permute(2, 0, 1), X(2, 3, 4))
case("transpose/three", lambda x: x.transpose(0, -1), X(2, 3, 4))
case("t/matrix", lambda x: x.t(), X(2, 3))
case("t/vector", lambda x: x.t(), X(3))
case("mT/batch", lambda x: x.mT, X(2, 3, 4))
case("movedim/three", lambda x: x.movedim(0, -1), X(2, 3, 4))
case("expand/matrix", lambda x: x.expand(4, -1, 3), X(2, 1))
case("expand/scalar", lambda x: x.expand(2, 3), X())
case("expand/empty", lambda x: x.expand(0, 3), X(1, 3))
case("broadcastTo/matrix", lambda x: x.broadcast_to(4, 2, 3), X(2, 1))
case("squeeze/all", lambda x: x.squeeze(), X(1, 3, 1))
case("squeeze/dim", lambda x: x.squeeze(0), X(1, 3, 1))
case("unsqueeze/end", lambda x: x.unsqueeze(-1), X(2, 3))
case("unsqueeze/front", lambda x: x.unsqueeze(0), X(2, 3))
case("slice/step", lambda x: x[:, 1:6:2], X(3, 7))
case("slice/negative", lambda x: x[-2:], X(5, 2))
case("slice/empty", lambda x: x[:, 1::2], X(0, 5))
case("slice/nothing", lambda x: x[3:2], X(5, 2))
case("narrow/matrix", lambda x: x.narrow(1, 2, 3), X(2, 6))
case("select/row", lambda x: x.select(0, -1), X(3, 4))
case("select/middle", lambda x: x.select(1, 1), X(2, 3, 4))
case("split/size", lambda x: x.split(2), X(5, 2))
case("split/sizes", lambda x: x.split([1, 0, 3], 1), X(2, 4))
case("chunk/three", lambda x: x.chunk(3, 1), X(2, 7))
case("unbind/rows", lambda x: x.unbind(), X(3, 2))

# ---- indexing
case("gather/dim1", lambda x, i: x.gather(1, i), X(3, 4), I([[0, 3], [1, 1], [2, 0]]))
case("gather/dim0", lambda x, i: x.gather(0, i), X(3, 4), I([[2, 0, 1]]))
case("gather/int32", lambda x, i: x.gather(-1, i.long()), X(2, 3, 4), I([[[3], [0], [1]], [[2], [2], [0]]], i32))
case("gather/empty", lambda x, i: x.gather(1, i), X(3, 4), I([[], [], []]))
case("gather/values", lambda x, i: x.gather(0, i), I([5, 2**60]), I([1, 0, 1]))
case("scatterAdd/dim1", lambda x, i, s: x.scatter_add(1, i, s), X(3, 4), I([[0, 3], [1, 1], [2, 0]]), X(3, 2))
case("scatterAdd/dim0", lambda x, i, s: x.scatter_add(0, i, s[:, :2]), X(3, 4), I([[2, 0], [2, 2]]), X(2, 4))
case("scatterAdd/empty", lambda x, i, s: x.scatter_add(1, i, s), X(2, 3), torch.zeros(2, 0, dtype=i64), X(2, 0))
case("indexSelect/rows", lambda x, i: x.index_select(0, i), X(3, 4), I([2, 0, 2]))
case("indexSelect/columns", lambda x, i: x.index_select(1, i), X(3, 4), I([3, 3, 1]))
case("indexSelect/middle", lambda x, i: x.index_select(1, i.long()), X(2, 3, 2), I([2, 0], i32))
case("indexSelect/vector", lambda x, i: x.index_select(0, i), X(5), I([4, 0]))
case("indexSelect/none", lambda x, i: x.index_select(0, i), X(3, 2), I([]))
case("indexSelect/bool", lambda x, i: x.index_select(0, i), B([True, False]), I([1, 0, 0]))
case("embedding/matrix", lambda w, i: F.embedding(i, w), X(4, 3), I([[0, 3], [3, 1]]))
case("embedding/scalar", lambda w, i: F.embedding(i, w), X(4, 3), I(2))
case("embedding/none", lambda w, i: F.embedding(i, w), X(4, 3), I([]))
case("oneHot/given", lambda i: F.one_hot(i, 4), I([[0, 3], [2, 1]]))
case("oneHot/largest", lambda i: F.one_hot(i), I([2, 0]))
case("index/row", lambda x: x[1], X(3, 4))
case("index/mixed", lambda x: x[..., 1:3, None], X(2, 4))
case("index/step", lambda x: x[::2, -1], X(5, 3))
case("index/tensor", lambda x, i: x[:, i], X(3, 4), I([3, 0, 3]))

# ---- joining
case("cat/rows", lambda a, b: torch.cat([a, b]), X(2, 3), X(1, 3))
case("cat/columns", lambda a, b, c: torch.cat([a, b, c], -1), X(2, 3), X(2, 0), X(2, 1))
case("cat/mixed", lambda a, b: torch.cat([a, b]), X(2), I([1, 2]))
case("cat/same", lambda a: torch.cat([a, a]), X(2, 2))
case("cat/int64", lambda a, b: torch.cat([a, b]), I([1, 2**60]), I([3]))
case("stack/front", lambda a, b: torch.stack([a, b]), X(2, 3), X(2, 3))
case("stack/end", lambda a, b: torch.stack([a, b], -1), X(3), X(3))
case("stack/scalars", lambda a, b: torch.stack([a, b]), X(), X())

# ---- losses
TARGET = I([1, 0, 3, 3])
for reduction in ("mean", "sum", "none"):
    case(f"crossEntropy/{reduction}", lambda x, t, r=reduction: F.cross_entropy(x, t, reduction=r), X(4, 5), TARGET)
    case(f"crossEntropy/{reduction}Ignored", lambda x, t, r=reduction: F.cross_entropy(x, t, reduction=r, ignore_index=3), X(4, 5), TARGET)
    case(f"crossEntropy/{reduction}Smoothed", lambda x, t, r=reduction: F.cross_entropy(x, t, reduction=r, label_smoothing=0.2, ignore_index=0), X(4, 5), TARGET)
    case(f"nllLoss/{reduction}", lambda x, t, r=reduction: F.nll_loss(x, t, reduction=r), X(4, 5), TARGET)
    case(f"mseLoss/{reduction}", lambda a, b, r=reduction: F.mse_loss(a, b, reduction=r), X(3, 4), X(3, 4))
case("crossEntropy/one", lambda x, t: F.cross_entropy(x, t), X(5), I(2))
case("crossEntropy/int32", lambda x, t: F.cross_entropy(x, t.long()), X(4, 5), TARGET.to(i32))
case("crossEntropy/default", lambda x, t: F.cross_entropy(x, t), X(3, 2), I([1, -100, 0]))
case("crossEntropy/large", lambda x, t: F.cross_entropy(x, t), D([[1e4, 0, -1e4], [5, 1e4, 3]]), I([2, 1]))
case("crossEntropy/allIgnored", lambda x, t: F.cross_entropy(x, t, ignore_index=1), X(2, 3), I([1, 1]), grad=False)
case("nllLoss/ignoredInfinity", lambda x, t: F.nll_loss(x, t, ignore_index=1), D([[-inf, -1.0, -2.0], [-3.0, -0.5, -1.5]]), I([1, 2]))
case("nllLoss/one", lambda x, t: F.nll_loss(x, t), X(5), I(2))
case("mseLoss/empty", lambda a, b: F.mse_loss(a, b, reduction="sum"), X(0, 3), X(0, 3))
case("dropout/eval", lambda x: F.dropout(x, 0.5, training=False), X(3, 5))
case("dropout/zero", lambda x: F.dropout(x, 0.0), X(3, 5))
case("dropout/all", lambda x: F.dropout(x, 1.0), X(3, 5))

write(__file__)
