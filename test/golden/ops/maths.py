"""Writes maths.json, the goldens of mathematical functions of one to three operands. Needs PyTorch; run by hand, the result
is committed."""

import torch

from case import SPECIAL, B, D, I, X, case, f64, i32, i64, inf, nan, u8, write

# ---- one operand
class Digamma(torch.autograd.Function):
    """torch.digamma, whose own gradient, polygamma of order 1, has only 9 digits right."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.digamma(x)

    @staticmethod
    def backward(ctx, g):
        return g * torch.special.zeta(2, *ctx.saved_tensors)


def polygamma(n, x):
    return Digamma.apply(x) if n == 0 else torch.special.zeta(2, x) if n == 1 else torch.special.polygamma(n, x)


UNARY = {
    "asin": torch.asin, "acos": torch.acos, "atan": torch.atan, "sinh": torch.sinh, "cosh": torch.cosh,
    "asinh": torch.asinh, "acosh": torch.acosh, "atanh": torch.atanh, "deg2rad": torch.deg2rad,
    "rad2deg": torch.rad2deg, "erfc": torch.erfc, "erfinv": torch.erfinv, "lgamma": torch.lgamma,
    "digamma": Digamma.apply, "sinc": torch.sinc, "logit": torch.logit, "frac": torch.frac, "sgn": torch.sgn,
    "positive": torch.positive, "nanToNum": torch.nan_to_num,
}
UNIT = (-0.875, 0.875)
RANGES = {
    "asin": UNIT, "acos": UNIT, "atanh": UNIT, "erfinv": UNIT, "acosh": (1.25, 4), "lgamma": (0.25, 4),
    "digamma": (0.25, 4), "logit": (0.125, 0.875),
}
for name, fn in UNARY.items():
    low, high = RANGES.get(name, (-4, 4))
    g = name != "sgn"  # its gradient, 0, is a tensor without storage
    case(f"{name}/matrix", fn, X(3, 5, low=low, high=high), grad=g)
    case(f"{name}/scalar", fn, X(low=low, high=high), grad=g)
    case(f"{name}/empty", fn, X(0, 3), grad=g)
    special = SPECIAL
    if name == "sgn":  # PyTorch makes NaN 0, here it stays
        special = SPECIAL[1:]
    if name == "sinc":  # beyond the range of exact arguments
        special = [v for v in SPECIAL if abs(v) not in (1e30, 100.0, 1.0)]
    case(f"{name}/special", fn, D(special), grad=False)
for name in ("asin", "atan", "cosh", "erfc", "lgamma", "digamma", "deg2rad", "rad2deg", "sinc"):
    case(f"{name}/int64", lambda x, fn=UNARY[name]: fn(x).to(f64), I([1, -1, 0] if name == "asin" else [0] if name == "sinc" else [1, 2, 7]))
case("sgn/int64", torch.sgn, I([-3, 0, 5]))
case("nanToNum/int64", torch.nan_to_num, I([-3, 0, 5]))
case("nanToNum/values", lambda x: torch.nan_to_num(x, nan=1.5, posinf=7.0, neginf=-8.0), D(SPECIAL), grad=False)
case("nanToNum/kink", torch.nan_to_num, D([nan, 1.0, inf, -inf, -2.0]))
case("erfinv/tail", torch.erfinv, D([1 - 2**-20, -1 + 2**-20, 2**-30, 1 - 2**-10]))
case("lgamma/negative", torch.lgamma, X(3, 5, low=-4, high=-0.25))
case("digamma/negative", Digamma.apply, X(3, 5, low=-4, high=-0.25))
case("digamma/large", Digamma.apply, D([20.5, 1e3, 1e6]))
for n in range(5):
    case(f"polygamma/order{n}", lambda x, n=n: polygamma(n, x), X(3, 4, low=0.25, high=4))
case("polygamma/empty", lambda x: polygamma(1, x), X(0, 3))
case("polygamma/scalar", lambda x: polygamma(1, x), X(low=0.25))
case("polygamma/negative", lambda x: polygamma(1, x), X(3, 4, low=-4, high=-0.25), grad=False)
case("polygamma/large", lambda x: polygamma(2, x), D([50.5, 1e3]))
case("polygamma/special", lambda x: polygamma(1, x), D([nan, 0.0, -0.0, 1.0, 2.5, 100.0, 1e-3]), grad=False)
case("sinc/kink", torch.sinc, D([0.0, 0.5, -1.25, 3.0]))
case("logit/eps", lambda x: torch.logit(x, eps=0.25), X(3, 5, low=0.0, high=1.0))
case("logit/epsKink", lambda x: torch.logit(x, eps=0.25), D([-1.0, 0.25, 0.5, 0.75, 2.0]))
case("round/decimals", lambda x: torch.round(x, decimals=1), X(3, 5), grad=False)
case("round/three", lambda x: torch.round(x, decimals=3), X(3, 5), grad=False)
case("round/tens", lambda x: torch.round(x, decimals=-1), D([14.0, 15.0, 25.0, -35.0, 4.9, nan, inf]), grad=False)
case("signbit/special", torch.signbit, D(SPECIAL[1:]), grad=False)
case("signbit/int64", torch.signbit, I([-3, 0, 5]))
case("signbit/bool", torch.signbit, B([True, False]))

# ---- limits
case("clamp/tensors", lambda x, a, b: torch.clamp(x, a, b), X(3, 5), X(5, low=-2, high=0), X(3, 1, low=0, high=2))
case("clamp/tensorsCrossed", lambda x, a, b: torch.clamp(x, a, b), X(3, 5), X(5, low=0, high=2), X(3, 1, low=-2, high=0))
case("clamp/tensorMin", lambda x, a: torch.clamp(x, min=a), X(3, 5), X(5))
case("clamp/tensorMax", lambda x, a: torch.clamp(x, max=a), X(3, 5), X(5))
case("clamp/tensorsKink", lambda x, a, b: torch.clamp(x, a, b), D([-1.0, 1.0, 0.0, 2.0]), D([-1.0, -1.0, 1.0, 1.0]), D([1.0, 1.0, 1.0, 0.0]))
case("clamp/tensorsInt", lambda x, a, b: torch.clamp(x, a, b), I([-5, 0, 5]), I([-2, 1, 0]), I([3, 3, 3]))
case("clamp/tensorsSpecial", lambda x, a, b: torch.clamp(x, a, b), D([nan, inf, -inf, 1.0, 1.0]), D([0.0, 0.0, 0.0, nan, 0.0]), D([2.0, 2.0, 2.0, 2.0, nan]), grad=False)
for name, fn in {"clampMin": torch.clamp_min, "clampMax": torch.clamp_max}.items():
    case(f"{name}/number", lambda x, fn=fn: fn(x, 0.5), X(3, 5))
    case(f"{name}/tensor", fn, X(3, 5), X(3, 1))
    case(f"{name}/int64", lambda x, fn=fn: fn(x, 1), I([-3, 0, 7]))
    case(f"{name}/intFraction", lambda x, fn=fn: fn(x, 0.5).to(f64), I([-3, 0, 7]))
    case(f"{name}/empty", lambda x, fn=fn: fn(x, 1.0), X(0, 3))
    case(f"{name}/special", lambda x, fn=fn: fn(x, 1.0), D(SPECIAL), grad=False)
    case(f"{name}/kink", lambda x, fn=fn: fn(x, 1.0), D([1.0, 0.0, 2.0]))

# ---- two operands
BINARY = {
    "fmod": torch.fmod, "atan2": torch.atan2, "hypot": torch.hypot, "fmax": torch.fmax, "fmin": torch.fmin,
    "copysign": torch.copysign, "xlogy": torch.xlogy, "logaddexp": torch.logaddexp, "logaddexp2": torch.logaddexp2,
}
for name, fn in BINARY.items():
    b = {"low": 2, "high": 4} if name == "fmod" else {"low": 0.25, "high": 4} if name == "xlogy" else {}
    t = torch.tensor(2.5, dtype=f64)
    case(f"{name}/matrix", fn, X(3, 5), X(3, 5, **b))
    case(f"{name}/broadcast", fn, X(4, 1, 3), X(2, 3, **b))
    case(f"{name}/scalar", fn, X(2, 3), X(**b))
    case(f"{name}/scalars", fn, X(), X(**b))
    case(f"{name}/number", lambda x, fn=fn, t=t: fn(x, t), X(3, 5))
    case(f"{name}/numberLeft", lambda x, fn=fn, t=t: fn(t, x), X(3, 5, **b))
    case(f"{name}/empty", fn, X(0, 3), X(1, 3))
    values = [nan, inf, -inf, 0.0, -0.0, 1.0, -2.5, 3.0]
    case(f"{name}/special", fn, D([[v] for v in values]), D([values]), grad=False)
for name in ("fmod", "fmax", "fmin"):
    for label, dtype in (("int64", i64), ("int32", i32)):
        case(f"{name}/{label}", BINARY[name], I([7, -7, 7, -7, 6, 0], dtype), I([3, 3, -3, -3, 2, 5], dtype))
    case(f"{name}/uint8", BINARY[name], I([7, 250, 0, 9], u8), I([3, 10, 1, 9], u8))
for name in ("atan2", "copysign", "xlogy"):
    case(f"{name}/int64", lambda a, b, fn=BINARY[name]: fn(a, b).to(f64), I([1, -2, 0]), I([3, 4, 5]))
case("fmax/kink", torch.fmax, D([1.0, nan, 3.0]), D([1.0, 3.0, nan]))
case("fmin/kink", torch.fmin, D([1.0, nan, 3.0]), D([1.0, 3.0, nan]))
case("xlogy/kink", torch.xlogy, D([0.0, 0.0, 2.0]), D([2.0, 3.0, 0.5]))
case("logaddexp/large", torch.logaddexp, D([1000.0, -1000.0, 800.0]), D([999.0, -1001.0, 0.0]))
case("copysign/kink", torch.copysign, D([1.0, -2.0, 3.0]), D([0.0, -0.0, -1.0]))
FACTOR = {"add": torch.add, "sub": torch.sub}
for name, fn in FACTOR.items():
    case(f"{name}/alpha", lambda a, b, fn=fn: fn(a, b, alpha=1.5), X(3, 5), X(5))
    case(f"{name}/alphaNumber", lambda a, fn=fn: fn(a, 2.5, alpha=-2), X(3, 5))
    case(f"{name}/alphaInt", lambda a, b, fn=fn: fn(a, b, alpha=-3), I([1, 2, 2**40]), I([4, 5, 6]))
    case(f"{name}_/alpha", lambda a, b, fn=fn: fn(a, b, alpha=1.5), X(3, 5), X(5), grad=False)
for mode in ("trunc", "floor"):
    fn = lambda a, b, mode=mode: torch.div(a, b, rounding_mode=mode)
    case(f"div/{mode}", fn, X(3, 5), X(5, low=0.5, high=3))
    case(f"div/{mode}Int", fn, I([7, -7, 7, -7, 6]), I([3, 3, -3, -3, 2]))
    case(f"div/{mode}Int32", fn, I([7, -7, 7, -7, 6], i32), I([3, 3, -3, -3, 2], i32))
    case(f"div/{mode}Number", lambda a, mode=mode: torch.div(a, 2, rounding_mode=mode), I([7, -7, 6]))
    case(f"div_/{mode}", fn, X(3, 5), X(5, low=0.5, high=3), grad=False)
case("pow/negativeExponents", torch.pow, I([2, 1, -1, -1]), I([-1, -5, -3, -2]))
case("pow/numberToInt", lambda x: torch.pow(2, x), I([0, 5, 10]))
case("pow/intFraction", lambda x: torch.pow(x, -1.5).to(f64), I([1, 4, 16]))

# ---- three operands
case("lerp/number", lambda a, b: torch.lerp(a, b, 0.25), X(3, 5), X(3, 5))
case("lerp/far", lambda a, b: torch.lerp(a, b, 0.75), X(3, 5), X(5))
case("lerp/outside", lambda a, b: torch.lerp(a, b, -1.5), X(3, 5), X(3, 1))
case("lerp/tensor", torch.lerp, X(3, 1), X(5), X(3, 5))
case("lerp/empty", lambda a, b: torch.lerp(a, b, 0.5), X(0, 3), X(3))
case("lerp/special", lambda a, b: torch.lerp(a, b, 0.25), D([nan, inf, 1.0, 2.0]), D([1.0, 1.0, inf, nan]), grad=False)
case("lerp_/number", lambda a, b: torch.lerp(a, b, 0.25), X(3, 5), X(3, 5), grad=False)
case("lerp_/tensor", torch.lerp, X(3, 5), X(5), X(3, 1), grad=False)
for name, fn in {"addcmul": torch.addcmul, "addcdiv": torch.addcdiv}.items():
    c = {"low": 0.5, "high": 3}
    case(f"{name}/matrix", fn, X(3, 5), X(3, 5), X(3, 5, **c))
    case(f"{name}/value", lambda a, b, d, fn=fn: fn(a, b, d, value=-0.5), X(3, 5), X(3, 1), X(5, **c))
    case(f"{name}/scalar", fn, X(), X(), X(**c))
    case(f"{name}/empty", fn, X(0, 3), X(3), X(1, **c))
    case(f"{name}/special", fn, D([nan, 1.0, inf]), D([1.0, inf, 1.0]), D([1.0, 2.0, nan]), grad=False)
    case(f"{name}_/value", lambda a, b, d, fn=fn: fn(a, b, d, value=2), X(3, 5), X(3, 1), X(5, **c), grad=False)
case("addcmul/int64", lambda a, b, c: torch.addcmul(a, b, c, value=2), I([1, 2]), I([3, -4]), I([5, 2**40]))

# ---- comparisons by a tolerance
values = [nan, inf, -inf, 0.0, 1.0, 1.0 + 5e-6, 1.0 + 5e-5, 1e-9]
case("isclose/default", torch.isclose, D([[v] for v in values]), D([values]), grad=False)
case("isclose/nan", lambda a, b: torch.isclose(a, b, equal_nan=True), D([nan, nan, 1.0]), D([nan, 1.0, nan]), grad=False)
case("isclose/tolerances", lambda a, b: torch.isclose(a, b, rtol=0.5, atol=0.25), D([1.0, 1.0, 1.0]), D([1.5, 2.0, 5.0]), grad=False)
case("isclose/int64", torch.isclose, I([1, 100000, 100000]), I([1, 100001, 100002]))
case("isclose/empty", torch.isclose, D([]), D([]), grad=False)

# ---- bits
for name, fn in {"bitwiseAnd": torch.bitwise_and, "bitwiseOr": torch.bitwise_or, "bitwiseXor": torch.bitwise_xor}.items():
    case(f"{name}/int64", fn, I([12, -1, 5, 2**40]), I([10, 7, -8, 2**40 + 1]))
    case(f"{name}/broadcast", fn, I([[12], [255]], u8), I([10, 7], u8))
    case(f"{name}/bool", fn, B([True, True, False]), B([True, False, False]))
    case(f"{name}/number", lambda x, fn=fn: fn(x, 6), I([12, -1, 5], i32))
    case(f"{name}/mixed", fn, I([12, -1, 5], i32), B([True, False, True]))
case("bitwiseNot/int64", torch.bitwise_not, I([12, -1, 0]))
case("bitwiseNot/uint8", torch.bitwise_not, I([12, 255, 0], u8))
case("bitwiseNot/bool", torch.bitwise_not, B([True, False]))
for name, fn in {"bitwiseLeftShift": torch.bitwise_left_shift, "bitwiseRightShift": torch.bitwise_right_shift}.items():
    case(f"{name}/int64", fn, I([1, -1, 5, -(2**40), 7, -7]), I([0, 62, 3, 2, 70, 63]))
    case(f"{name}/int32", fn, I([1, -1, 5, -(2**30), 7], i32), I([0, 31, 3, 2, 40], i32))
    case(f"{name}/uint8", fn, I([1, 255, 5, 128], u8), I([7, 1, 3, 2], u8))
    case(f"{name}/number", lambda x, fn=fn: fn(x, 2), I([1, -9, 5]))
    case(f"{name}/negative", fn, I([5, -5]), I([-1, -1]))

# ---- in place: results only
for name, fn in {"fmod": torch.fmod, "remainder": torch.remainder, "floorDivide": torch.floor_divide}.items():
    case(f"{name}_/matrix", fn, X(3, 5), X(3, 5, low=2), grad=False)
    case(f"{name}_/number", lambda x, fn=fn: fn(x, 2), I([7, -7, 6]))
for name in ("neg", "abs", "square", "sqrt", "rsqrt", "reciprocal", "exp", "log"):
    case(f"{name}_/matrix", getattr(torch, name), X(3, 5, low=0.25), grad=False)
case("clamp_/both", lambda x: x.clamp(-1, 1.5), X(3, 5), grad=False)
case("clamp_/min", lambda x: x.clamp(min=0.5), X(3, 5), grad=False)
case("clamp_/max", lambda x, b: torch.clamp(x, max=b), X(3, 5), X(5), grad=False)

write(__file__)
