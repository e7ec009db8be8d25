"""Goldens of the sample family `scans`: what PyTorch computes. See case.py."""

import torch
from case import *  # noqa: F403

pair = lambda r: (r.values, r.indices)
SCANS = {"cumsum": torch.cumsum, "cumprod": torch.cumprod, "logcumsumexp": torch.logcumsumexp}
for name, fn in SCANS.items():
    case(f"{name}/last", lambda x, fn=fn: fn(x, -1), X(3, 5))
    case(f"{name}/dim0", lambda x, fn=fn: fn(x, 0), X(4, 3))
    case(f"{name}/columns", lambda x, fn=fn: fn(x, 0), X(3, 9))
    case(f"{name}/middle", lambda x, fn=fn: fn(x, 1), X(2, 3, 5))
    case(f"{name}/vector", lambda x, fn=fn: fn(x, 0), X(7))
    case(f"{name}/one", lambda x, fn=fn: fn(x, 1), X(3, 1))
    case(f"{name}/scalar", lambda x, fn=fn: fn(x, 0), X())
    case(f"{name}/empty", lambda x, fn=fn: fn(x, 1), X(2, 0))
    case(f"{name}/emptyKept", lambda x, fn=fn: fn(x, 1), X(0, 3))
    case(f"{name}/special", lambda x, fn=fn: fn(x, 1), D([[1, inf, 2, -inf], [-inf, -inf, 1, 2], [nan, 1, 2, inf], [0.0, 3, nan, 1]]), grad=False)
for name in ("cumsum", "cumprod"):
    fn = SCANS[name]
    for label, dtype in (("int64", i64), ("int32", i32)):
        case(f"{name}/{label}", lambda x, fn=fn: fn(x, 1), I([[2, -7, 3], [5, 1, 2]], dtype))
    case(f"{name}/uint8", lambda x, fn=fn: fn(x, 0), I([200, 100, 3], u8))
    case(f"{name}/bool", lambda x, fn=fn: fn(x, 0), B([True, True, False, True]))
case("cumsum/wrap", lambda x: torch.cumsum(x, 0), I([2**63 - 1, 1]))
case("cumsum/long", lambda x: torch.cumsum(x, 0), Formula(1031, step=37))
case("cumsum/manyColumns", lambda x: torch.cumsum(x, 0), Formula(3, 300, step=37))
case("cumprod/oneZero", lambda x: torch.cumprod(x, 1), D([[1.5, 0.0, 2.0, -3.0], [0.0, 2.0, 3.0, 0.5]]))
case("cumprod/twoZeros", lambda x: torch.cumprod(x, 0), D([1.5, 0.0, 2.0, 0.0, 3.0]))
case("logcumsumexp/large", lambda x: torch.logcumsumexp(x, 1), D([[-1000.0, 1000.0, 999.0], [1000.0, -1000.0, 1001.0]]))
case("logcumsumexp/kinkMasked", lambda x: torch.logcumsumexp(x, 1), D([[1.0, -inf, 0.5, -inf]]))

for name, fn in (("cummax", torch.cummax), ("cummin", torch.cummin)):
    case(f"{name}/last", lambda x, fn=fn: pair(fn(x, -1)), X(3, 7))
    case(f"{name}/columns", lambda x, fn=fn: pair(fn(x, 0)), X(4, 9))
    case(f"{name}/middle", lambda x, fn=fn: pair(fn(x, 1)), X(2, 3, 5))
    case(f"{name}/scalar", lambda x, fn=fn: pair(fn(x, 0)), X())
    case(f"{name}/empty", lambda x, fn=fn: pair(fn(x, 1)), X(2, 0))
    case(f"{name}/kink", lambda x, fn=fn: pair(fn(x, 0)), D([1.0, 1.0, 2.0, 2.0, 1.0, 1.0]))
    case(f"{name}/special", lambda x, fn=fn: pair(fn(x, 1)), D([[1, inf, 2, -inf], [1, nan, 5, nan], [nan, 1, 2, inf], [-0.0, 0.0, -inf, inf]]), grad=False)
    for label, dtype in (("int64", i64), ("int32", i32)):
        case(f"{name}/{label}", lambda x, fn=fn: pair(fn(x, 1)), I([[2, -7, 3, 3], [5, 1, 2, 1]], dtype))
    case(f"{name}/bool", lambda x, fn=fn: pair(fn(x, 0)), B([False, True, False, True]))

case("diff/last", lambda x: torch.diff(x), X(3, 5))
case("diff/dim0", lambda x: torch.diff(x, dim=0), X(3, 5))
case("diff/twice", lambda x: torch.diff(x, n=2), X(3, 5))
case("diff/none", lambda x: torch.diff(x, n=0), X(3), grad=False)
case("diff/tooOften", lambda x: torch.diff(x, n=4), X(2, 3), grad=False)
case("diff/around", lambda x, a, b: torch.diff(x, prepend=a, append=b), X(2, 3), X(2, 1), X(2, 2))
case("diff/bool", lambda x: torch.diff(x), B([True, True, False, True]))
case("diff/int64", lambda x: torch.diff(x), I([1, 4, 2]))
case("diff/empty", lambda x: torch.diff(x), X(2, 0), grad=False)
case("trapezoid/even", lambda y: torch.trapezoid(y), X(3, 5))
case("trapezoid/dx", lambda y: torch.trapezoid(y, dx=0.5, dim=0), X(3, 5))
case("trapezoid/points", lambda y, x: torch.trapezoid(y, x, dim=0), X(4, 3), X(4))
case("trapezoid/full", lambda y, x: torch.trapezoid(y, x), X(2, 4), X(2, 4))
case("trapezoid/one", lambda y: torch.trapezoid(y), X(2, 1), grad=False)
case("cumulativeTrapezoid/even", lambda y: torch.cumulative_trapezoid(y), X(3, 5))
case("cumulativeTrapezoid/dx", lambda y: torch.cumulative_trapezoid(y, dx=0.5, dim=0), X(3, 5))
case("cumulativeTrapezoid/points", lambda y, x: torch.cumulative_trapezoid(y, x), X(2, 4), X(4))

write(__file__)
