"""Goldens of the sample family `reductions`: what PyTorch computes. See case.py."""

import torch
from case import *  # noqa: F403

NANS = D([[1.5, nan, -2.25, 0.5], [nan, nan, nan, nan], [3.0, -1.0, nan, 2.0]])
FULL = D([[1.5, 0.25, -2.25, 0.5, 4.0], [3.0, -1.0, 0.75, 2.0, -3.5]])

# logsumexp
case("logsumexp/all", lambda x: torch.logsumexp(x, (0, 1)), X(3, 4))
case("logsumexp/dim0", lambda x: torch.logsumexp(x, 0), X(3, 4))
case("logsumexp/keep", lambda x: torch.logsumexp(x, 1, keepdim=True), X(3, 4))
case("logsumexp/outer", lambda x: torch.logsumexp(x, (0, 2)), X(2, 3, 5))
case("logsumexp/scalar", lambda x: torch.logsumexp(x, 0), X())
case("logsumexp/large", lambda x: torch.logsumexp(x, 1), D([[1e3, 999.0, -1e3], [-1e3, -1001.0, -999.5]]))
case("logsumexp/emptyDim", lambda x: torch.logsumexp(x, 0), X(0, 3))
case("logsumexp/emptyKept", lambda x: torch.logsumexp(x, 1), X(0, 3))
case("logsumexp/special", lambda x: torch.logsumexp(x, 1), D([[inf, 1, 2], [-inf, -inf, -inf], [-inf, 1, 2], [nan, 1, 2], [inf, -inf, 0]]), grad=False)
case("logsumexp/int64", lambda x: torch.logsumexp(x, 1).to(f64), I([[1, 2, 3], [0, -1, 7]]))

# norms
for label, p in (("two", 2), ("one", 1), ("zero", 0), ("inf", inf), ("minusInf", -inf), ("three", 3), ("half", 0.5), ("oneHalf", 1.5), ("minusTwo", -2)):
    low = {"low": 0.25} if p == 0.5 else {}
    case(f"vectorNorm/{label}", lambda x, p=p: torch.linalg.vector_norm(x, p, 1), X(3, 4, **low))
    case(f"vectorNorm/{label}All", lambda x, p=p: torch.linalg.vector_norm(x, p), X(2, 5, **low))
    case(f"vectorNorm/{label}Special", lambda x, p=p: torch.linalg.vector_norm(x, p, 1), D([[inf, 1, 2], [-inf, 0, 1], [nan, 1, 2], [0, 0, 0]]), grad=False)
for label, p in (("Two", 2), ("One", 1), ("Three", 3), ("OneHalf", 1.5), ("Inf", inf)):
    case(f"vectorNorm/kink{label}", lambda x, p=p: torch.linalg.vector_norm(x, p, 1), D([[0.0, 0.0, 0.0], [3.0, 0.0, -4.0], [2.0, -2.0, 1.0]]))
case("vectorNorm/keep", lambda x: torch.linalg.vector_norm(x, 2, (0, 2), keepdim=True), X(2, 3, 2))
case("vectorNorm/scalar", lambda x: torch.linalg.vector_norm(x), X())
case("vectorNorm/empty", lambda x: torch.linalg.vector_norm(x, 2, 0), X(0, 3), grad=False)
case("norm/default", lambda x: torch.norm(x), X(3, 4))
case("norm/dim", lambda x: torch.norm(x, 3, 1), X(3, 4))
case("norm/keep", lambda x: torch.norm(x, "fro", 0, keepdim=True), X(3, 4))

# medians, mode
pair = lambda r: (r.values, r.indices)
for name, fn in (("median", torch.median), ("nanmedian", torch.nanmedian)):
    case(f"{name}/all", lambda x, fn=fn: fn(x), X(3, 4))
    case(f"{name}/odd", lambda x, fn=fn: fn(x), X(5))
    case(f"{name}/scalar", lambda x, fn=fn: fn(x), X())
    case(f"{name}/dim", lambda x, fn=fn: pair(fn(x, 1)), X(3, 5))
    case(f"{name}/dim0", lambda x, fn=fn: pair(fn(x, 0)), X(4, 3))
    case(f"{name}/keep", lambda x, fn=fn: pair(fn(x, -1, keepdim=True)), X(2, 3, 4))
    case(f"{name}/long", lambda x, fn=fn: pair(fn(x, 1)), X(2, 70))
    case(f"{name}/emptyKept", lambda x, fn=fn: pair(fn(x, 1)), X(0, 3))
    case(f"{name}/empty", lambda x, fn=fn: fn(x), X(0), grad=False)
    case(f"{name}/int64", lambda x, fn=fn: pair(fn(x, 1)), I([[5, 2, 9, -1], [7, 3, 8, 2**40]]))
    case(f"{name}/int32", lambda x, fn=fn: fn(x), I([5, 2, 2**31 - 1], i32))
    case(f"{name}/uint8", lambda x, fn=fn: fn(x), I([5, 200, 9], u8))
    case(f"{name}/kink", lambda x, fn=fn: fn(x), D([2.0, 1.0, 2.0, 3.0, 2.0]))
case("median/special", lambda x: torch.median(x, 1).values, D([[1, nan, 3, nan], [inf, 1, -inf, 2], [0, -1, 3, inf]]), grad=False)
case("median/nanIndex", lambda x: torch.median(x, 1).indices, D([[1, nan, 3, nan], [nan, 1, 2, 3]]), grad=False)
case("nanmedian/special", lambda x: torch.nanmedian(x, 1).values, NANS, grad=False)
case("nanmedian/allSpecial", lambda x: torch.nanmedian(x), NANS, grad=False)
case("mode/dim", lambda x: pair(torch.mode(x, 1)), D([[1.0, 2.0, 2.0, 3.0], [4.0, 1.0, 4.0, 1.0]]))
case("mode/dim0", lambda x: pair(torch.mode(x, 0)), I([[1, 5], [2, 5], [1, 6]]))
case("mode/keep", lambda x: pair(torch.mode(x, -1, keepdim=True)), I([[1, 5, 5], [2, 5, 2]], i32))
case("mode/scalar", lambda x: pair(torch.mode(x)), X())
case("mode/special", lambda x: torch.mode(x, 1).values, D([[nan, nan, 1.0], [inf, inf, 1.0]]), grad=False)

# quantiles
Q = torch.tensor([0.0, 0.1, 0.5, 0.85, 1.0], dtype=f64)
for name, fn in (("quantile", torch.quantile), ("nanquantile", torch.nanquantile)):
    for mode in ("linear", "lower", "higher", "midpoint", "nearest"):
        case(f"{name}/{mode}", lambda x, fn=fn, mode=mode: fn(x, Q, 1, interpolation=mode), X(3, 6))
    case(f"{name}/all", lambda x, fn=fn: fn(x, 0.3), X(3, 4))
    case(f"{name}/keep", lambda x, fn=fn: fn(x, 0.3, 0, keepdim=True), X(3, 4))
    case(f"{name}/keepAll", lambda x, fn=fn: fn(x, Q, keepdim=True), X(3, 4))
    case(f"{name}/tensor", lambda x, q, fn=fn: fn(x, q, 0), X(5, 2), torch.tensor([0.25, 0.75], dtype=f64), grad=False)
    case(f"{name}/scalar", lambda x, fn=fn: fn(x, 0.3), X())
    case(f"{name}/one", lambda x, fn=fn: fn(x, Q, 1), X(3, 1))
    case(f"{name}/special", lambda x, fn=fn: fn(x, 0.4, 1), NANS, grad=False)

# counts
case("countNonzero/all", lambda x: torch.count_nonzero(x), D([[1, 0, nan], [0.0, -0.0, inf]]), grad=False)
case("countNonzero/dim", lambda x: torch.count_nonzero(x, 1), I([[1, 0, 2], [0, 0, -3]]))
case("countNonzero/dims", lambda x: torch.count_nonzero(x, (0, 2)), B([[[True, False], [True, True]], [[False, False], [True, False]]]))
case("countNonzero/empty", lambda x: torch.count_nonzero(x), X(0, 3), grad=False)
case("nansum/all", lambda x: torch.nansum(x), X(3, 4))
case("nansum/dim", lambda x: torch.nansum(x, 1, keepdim=True), X(3, 4))
case("nansum/kinkNan", lambda x: torch.nansum(x, 1), NANS)
case("nansum/special", lambda x: torch.nansum(x, 1), D([[nan, inf, 1], [inf, -inf, nan], [nan, nan, nan]]), grad=False)
case("nansum/int32", lambda x: torch.nansum(x, 0), I([[1, 2], [3, 4]], i32))
case("nanmean/all", lambda x: torch.nanmean(x), X(3, 4))
case("nanmean/dim", lambda x: torch.nanmean(x, 1, keepdim=True), X(3, 4))
case("nanmean/kinkNan", lambda x: torch.nanmean(x, 0), NANS)
case("nanmean/special", lambda x: torch.nanmean(x, 1), NANS, grad=False)
case("aminmax/all", lambda x: tuple(torch.aminmax(x)), X(3, 4))
case("aminmax/dim", lambda x: tuple(torch.aminmax(x, dim=1, keepdim=True)), X(3, 4))
case("aminmax/special", lambda x: tuple(torch.aminmax(x, dim=1)), D([[nan, 1, 2], [inf, -inf, 0]]), grad=False)
case("aminmax/int64", lambda x: tuple(torch.aminmax(x)), I([5, -3, 7]))
case("stdMean/all", lambda x: torch.std_mean(x), X(3, 4))
case("stdMean/dim", lambda x: torch.std_mean(x, 1, keepdim=True), X(3, 4))
case("stdMean/population", lambda x: torch.std_mean(x, 0, correction=0), X(3, 4))
for name, fn in (("prod", torch.prod),):
    case(f"{name}/zerosTwice", lambda x: torch.prod(x, 1), D([[1.5, 0.0, 0.0], [0.0, 2.0, 3.0], [2.0, -1.5, 0.5]]))
    case(f"{name}/zerosAll", lambda x: torch.prod(x), D([[1.5, 0.0], [0.0, 2.0]]))
    case(f"{name}/zerosDim0", lambda x: torch.prod(x, 0, keepdim=True), D([[1.5, 0.0], [0.0, 0.0], [2.5, 3.0]]))

# histograms
case("histc/range", lambda x: torch.histc(x, 5, -1, 2), D([-1.0, 2.0, 0.5, 1.9, -5.0, 3.0, 0.2, nan, -0.4]), grad=False)
case("histc/data", lambda x: torch.histc(x, 4), X(3, 5), grad=False)
case("histc/constant", lambda x: torch.histc(x, 3), D([2.0, 2.0]), grad=False)
case("histc/empty", lambda x: torch.histc(x, 3), X(0), grad=False)
case("histc/edges", lambda x: torch.histc(x, 10, 0, 1), D([i / 10 for i in range(11)]), grad=False)
case("bincount/int64", lambda x: torch.bincount(x), I([1, 3, 3, 0, 7]))
case("bincount/uint8", lambda x: torch.bincount(x), I([1, 200, 1], u8))
case("bincount/minlength", lambda x: torch.bincount(x, minlength=6), I([1, 3, 3], i32))
case("bincount/weights", lambda x, w: torch.bincount(x, w), I([1, 3, 3, 0]), X(4), grad=False)
case("bincount/empty", lambda x: torch.bincount(x, minlength=2), I([]))

write(__file__)
