"""Writes losses.json, the goldens of losses. Needs PyTorch; run by hand, the result is committed."""

import torch
import torch.nn.functional as F

from case import SPECIAL, D, I, X, case, i32, nan, write

REDUCTIONS = ("none", "mean", "sum")


def cases(op, fn, *specs, options=None):
    for reduction in REDUCTIONS:
        case(f"{op}/{reduction}", lambda *t, r=reduction: fn(*t, reduction=r), *specs)
    for name, kw in (options or {}).items():
        case(f"{op}/{name}", lambda *t, kw=kw: fn(*t, **kw), *specs)
    case(f"{op}/vector", fn, *[X(*(s.shape[1:]), low=s.low, high=s.high) if isinstance(s, X) else s[0] for s in specs])


def elementwise(op, fn, low=-4, high=4, options=None, tlow=-4, thigh=4):
    cases(op, fn, X(3, 5, low=low, high=high), X(3, 5, low=tlow, high=thigh), options=options)
    case(f"{op}/scalar", fn, X(low=low, high=high), X(low=tlow, high=thigh))
    case(f"{op}/empty", lambda x, t: fn(x, t, reduction="sum"), X(0, 3, low=low, high=high), X(0, 3, low=tlow, high=thigh))


# ---- errors
def mse_weight(x, t, w, reduction="mean"):
    return F.mse_loss(x, t, weight=w, reduction=reduction)


def l1_weight(x, t, w, reduction="mean"):
    return F.l1_loss(x, t, weight=w, reduction=reduction)


def huber_weight(x, t, w, reduction="mean"):
    return F.huber_loss(x, t, weight=w, reduction=reduction, delta=1.5)


elementwise("mseLoss", F.mse_loss)
elementwise("l1Loss", F.l1_loss)
elementwise("smoothL1Loss", F.smooth_l1_loss, options={"beta": {"beta": 2.5}, "betaZero": {"beta": 0.0}})
elementwise("huberLoss", F.huber_loss, options={"delta": {"delta": 2.5}})
for op, fn in {"mseLoss": mse_weight, "l1Loss": l1_weight, "huberLoss": huber_weight}.items():
    for reduction in REDUCTIONS:
        case(f"{op}/{reduction}Weight", lambda *t, fn=fn, r=reduction: fn(*t, reduction=r), X(3, 5), X(3, 5), X(3, 5, low=0.25))
for op, fn in {"mseLoss": F.mse_loss, "l1Loss": F.l1_loss, "smoothL1Loss": F.smooth_l1_loss, "huberLoss": F.huber_loss}.items():
    case(f"{op}/special", lambda x, fn=fn: fn(x, torch.ones_like(x), reduction="none"), D(SPECIAL), grad=False)
case("l1Loss/kink", lambda x, t: F.l1_loss(x, t), D([1.0, 2.0, -1.0]), D([1.0, 1.0, -1.0]))
case("smoothL1Loss/kink", lambda x, t: F.smooth_l1_loss(x, t), D([1.0, 2.0, -1.0]), D([1.0, 1.0, 0.0]))
case("huberLoss/kink", lambda x, t: F.huber_loss(x, t, delta=2.0), D([1.0, 3.0, -2.0]), D([1.0, 1.0, 0.0]))

# ---- probabilities
P = {"low": 0.0625, "high": 0.9375}
elementwise("binaryCrossEntropy", F.binary_cross_entropy, tlow=0, thigh=1, **P)
case("binaryCrossEntropy/weight", lambda x, t, w: F.binary_cross_entropy(x, t, w.detach()), X(3, 5, **P), X(3, 5, low=0, high=1), X(5, low=0.25))
case("binaryCrossEntropy/ends", lambda x: F.binary_cross_entropy(x, torch.tensor([1.0, 0, 0, 1, 0.5], dtype=torch.float64), reduction="none"), D([0.0, 1.0, 0.0, 1.0, 1.0]), grad=False)
case("binaryCrossEntropy/kink", lambda x: F.binary_cross_entropy(x, torch.tensor([1.0, 0, 0, 1], dtype=torch.float64)), D([0.0, 1.0, 0.0, 1.0]))
LG = F.binary_cross_entropy_with_logits
elementwise("binaryCrossEntropyWithLogits", LG, tlow=0, thigh=1)
case("binaryCrossEntropyWithLogits/weight", lambda x, t, w: LG(x, t, w.detach()), X(3, 5), X(3, 5, low=0, high=1), X(3, 1, low=0.25))
case("binaryCrossEntropyWithLogits/posWeight", lambda x, t, p: LG(x, t, pos_weight=p.detach()), X(3, 5), X(3, 5, low=0, high=1), X(5, low=0.25))
case("binaryCrossEntropyWithLogits/both", lambda x, t, w, p: LG(x, t, w.detach(), pos_weight=p.detach(), reduction="sum"), X(3, 5), X(3, 5, low=0, high=1), X(3, 5, low=0.25), X(5, low=0.25))
case("binaryCrossEntropyWithLogits/tail", lambda x: LG(x, torch.tensor([0.0, 1, 0, 1, 0.5], dtype=torch.float64), reduction="none"), D([-1000.0, -1000.0, 1000.0, 1000.0, 40.0]))
case("binaryCrossEntropyWithLogits/special", lambda x: LG(x, torch.full_like(x, 0.25), reduction="none"), D([nan, 0.0, 1.0, -1.0, 1e30, -1e30]), grad=False)
elementwise("klDiv", F.kl_div, low=-4, high=-0.25, tlow=0.0625, thigh=1, options={"batchmean": {"reduction": "batchmean"}, "logTarget": {"log_target": True}, "logTargetBatchmean": {"log_target": True, "reduction": "batchmean"}})
case("klDiv/zero", lambda x, t: F.kl_div(x, t.detach(), reduction="sum"), X(4), D([0.0, 0.5, 0.25, 0.25]))
case("klDiv/broadcast", lambda x, t: F.kl_div(x, t, reduction="sum"), X(3, 4), X(4, low=0.125, high=1))
NO = {"log_input": False}
elementwise("poissonNllLoss", F.poisson_nll_loss, low=0.25, high=3, tlow=0.0625, thigh=6, options={"rate": NO, "full": {"full": True}, "rateFull": {**NO, "full": True, "eps": 0.125}})
case("poissonNllLoss/counts", lambda x: F.poisson_nll_loss(x, torch.tensor([0.0, 1, 2, 3], dtype=torch.float64), full=True), X(4))


def gauss(x, t, v, **kw):
    return F.gaussian_nll_loss(x, t, v, **kw)


V = {"low": 0.25, "high": 3}
cases("gaussianNllLoss", gauss, X(3, 5), X(3, 5), X(3, 5, **V), options={"full": {"full": True}, "eps": {"eps": 1e-3}})
case("gaussianNllLoss/homoscedastic", gauss, X(3, 5), X(3, 5), X(3, 1, **V))
case("gaussianNllLoss/lastMissing", gauss, X(3, 5), X(3, 5), X(3, **V))
case("gaussianNllLoss/number", lambda x, t: F.gaussian_nll_loss(x, t, 0.75), X(3, 5), X(3, 5))
case("gaussianNllLoss/kink", lambda x, t, v: F.gaussian_nll_loss(x, t, v, eps=0.5), D([1.0, 2.0]), D([0.5, 3.0]), D([0.25, 0.0]))
case("gaussianNllLoss/empty", lambda x, t, v: F.gaussian_nll_loss(x, t, v, reduction="sum"), X(0, 3), X(0, 3), X(0, 3))

# ---- margins
SIGNS = torch.tensor([[1.0, -1, 1, 1, -1], [-1, -1, 1, -1, 1], [1, 1, -1, -1, -1]], dtype=torch.float64)


def fixed(fn, target=SIGNS):
    """The target has no gradient."""
    return lambda *t, **kw: fn(*t, target if t[0].shape == target.shape else target[0] if t[0].dim() else target[0, 0], **kw)


for op, fn in {"hingeEmbeddingLoss": F.hinge_embedding_loss, "softMarginLoss": F.soft_margin_loss}.items():
    cases(op, fixed(fn), X(3, 5), options={"margin": {"margin": 2.25}} if op[0] == "h" else {})
    case(f"{op}/scalar", fixed(fn), X())
    case(f"{op}/empty", lambda x, fn=fn: fn(x, x.detach(), reduction="sum"), X(0, 3))
case("hingeEmbeddingLoss/kink", lambda x: F.hinge_embedding_loss(x, torch.tensor([-1.0, -1, 1, 0, 0], dtype=torch.float64)), D([1.0, 2.0, 0.0, 0.5, 1.5]))
case("hingeEmbeddingLoss/special", lambda x: F.hinge_embedding_loss(x, torch.ones_like(x), reduction="none"), D(SPECIAL), grad=False)
case("softMarginLoss/special", lambda x: F.soft_margin_loss(x, torch.ones_like(x), reduction="none"), D([nan, 0.0, 1.0, -1.0, 100.0, -100.0, 1e-3]), grad=False)
cases("marginRankingLoss", fixed(F.margin_ranking_loss), X(3, 5), X(3, 5), options={"margin": {"margin": 1.25}})
case("marginRankingLoss/kink", lambda a, b: F.margin_ranking_loss(a, b, torch.tensor([1.0, -1, 1], dtype=torch.float64)), D([1.0, 2.0, 3.0]), D([1.0, 2.0, 1.0]))
case("marginRankingLoss/empty", lambda a, b: F.margin_ranking_loss(a, b, a.detach(), reduction="sum"), X(0), X(0))
case("marginRankingLoss/broadcast", lambda a, b, t: F.margin_ranking_loss(a, b, t.detach(), margin=0.5), X(3, 1), X(1, 4), D([[1.0], [-1.0], [1.0]]))
ONES = torch.tensor([1.0, -1, -1, 1], dtype=torch.float64)
for name, kw in {"none": {"reduction": "none"}, "mean": {}, "sum": {"reduction": "sum"}, "margin": {"margin": 0.25, "reduction": "none"}}.items():
    case(f"cosineEmbeddingLoss/{name}", lambda a, b, kw=kw: F.cosine_embedding_loss(a, b, ONES, **kw), X(4, 5), X(4, 5))
case("cosineEmbeddingLoss/vector", lambda a, b: F.cosine_embedding_loss(a, b, torch.tensor(-1)), X(5, low=0.25), X(5, low=0.25))
case("cosineEmbeddingLoss/empty", lambda a, b: F.cosine_embedding_loss(a, b, torch.ones(0), reduction="sum"), X(0, 3), X(0, 3))
TR = F.triplet_margin_loss
cases("tripletMarginLoss", TR, X(4, 5), X(4, 5), X(4, 5), options={"margin": {"margin": 3.5}, "p1": {"p": 1, "reduction": "none"}, "p3": {"p": 3.0}, "swap": {"swap": True, "reduction": "none"}, "eps": {"eps": 0.125}})
case("tripletMarginLoss/broadcast", lambda a, p, n: TR(a, p, n, margin=5), X(4, 5), X(1, 5), X(4, 5))
case("tripletMarginLoss/empty", lambda a, p, n: TR(a, p, n, reduction="sum"), X(0, 5), X(0, 5), X(0, 5))


def distance(a, b):
    return 1 - F.cosine_similarity(a, b)


TD = F.triplet_margin_with_distance_loss
for name, kw in {"none": {"reduction": "none"}, "mean": {}, "sum": {"reduction": "sum"}, "swap": {"swap": True, "reduction": "none"}, "distance": {"distance_function": distance, "margin": 0.5}}.items():
    case(f"tripletMarginWithDistanceLoss/{name}", lambda a, p, n, kw=kw: TD(a, p, n, **kw), X(4, 5), X(4, 5), X(4, 5))

# ---- classes
Y = I([4, 0, 2])
MM = F.multi_margin_loss
for name, kw in {"none": {"reduction": "none"}, "mean": {}, "sum": {"reduction": "sum"}, "p2": {"p": 2}, "margin": {"margin": 2.25, "reduction": "none"}}.items():
    case(f"multiMarginLoss/{name}", lambda x, y, kw=kw: MM(x, y, **kw), X(3, 5), Y)
for name, kw in {"none": {"reduction": "none"}, "mean": {}, "p2": {"p": 2, "reduction": "sum"}}.items():
    case(f"multiMarginLoss/{name}Weight", lambda x, y, w, kw=kw: MM(x, y, weight=w.detach(), **kw), X(3, 5), Y, X(5, low=0.25))
case("multiMarginLoss/vector", lambda x, y: MM(x, y), X(5), I(3))
case("multiMarginLoss/vectorNone", lambda x, y: MM(x, y, reduction="none"), X(5), I(3))
case("multiMarginLoss/int32", lambda x, y: MM(x, y.long()), X(3, 5), I([4, 0, 2], i32))
case("multiMarginLoss/kink", lambda x, y: MM(x, y), D([[1.0, 2.0, 0.0]]), I([0]))
ML = F.multilabel_margin_loss
LISTS = I([[3, 0, -1, 1, 2], [-1, 0, 1, 2, 3], [4, 2, 1, 3, 0]])
for reduction in REDUCTIONS:
    case(f"multilabelMarginLoss/{reduction}", lambda x, y, r=reduction: ML(x, y, reduction=r), X(3, 5), LISTS)
case("multilabelMarginLoss/vector", lambda x, y: ML(x, y), X(5), I([1, 3, -1, -1, -1]))
case("multilabelMarginLoss/vectorNone", lambda x, y: ML(x, y, reduction="none"), X(5), I([1, 3, -1, -1, -1]))
case("multilabelMarginLoss/kink", lambda x, y: ML(x, y), D([[1.0, 2.0, 0.0]]), I([[0, -1, 0]]))
MS = F.multilabel_soft_margin_loss
cases("multilabelSoftMarginLoss", MS, X(3, 5), X(3, 5, low=0, high=1))
for reduction in REDUCTIONS:
    case(f"multilabelSoftMarginLoss/{reduction}Weight", lambda x, t, w, r=reduction: MS(x, t, w, reduction=r), X(3, 5), X(3, 5, low=0, high=1), X(5, low=0.25))
case("multilabelSoftMarginLoss/leading", lambda x, t: MS(x, t, reduction="none"), X(2, 2, 3), X(2, 2, 3, low=0, high=1))

# ---- penalties
case("l1Penalty/two", lambda a, b: a.abs().sum() + b.abs().sum(), X(2, 3), X(4))
case("l1Penalty/kink", lambda a: a.abs().sum(), D([0.0, -0.0, 1.0, -2.0]))
case("l2Penalty/two", lambda a, b: a.square().sum() + b.square().sum(), X(2, 3), X(4))
case("l2Penalty/empty", lambda a: a.square().sum(), X(0, 2))
case("elasticNet/two", lambda a, b: 0.5 * (a.abs().sum() + b.abs().sum()) + 0.25 * (a.square().sum() + b.square().sum()), X(2, 3), X(4))

# ---- layers
case("nn.MSELoss/weight", lambda x, t, w: mse_weight(x, t, w.detach()), X(3, 5), X(3, 5), X(3, 5, low=0.25))
case("nn.L1Loss/sum", torch.nn.L1Loss(reduction="sum"), X(3, 5), X(3, 5))
case("nn.SmoothL1Loss/beta", torch.nn.SmoothL1Loss(beta=2.5), X(3, 5), X(3, 5))
case("nn.HuberLoss/delta", torch.nn.HuberLoss(delta=2.5), X(3, 5), X(3, 5))
case("nn.BCELoss/weight", lambda x, t, w: torch.nn.BCELoss(weight=w.detach())(x, t), X(3, 5, **P), X(3, 5, low=0, high=1), X(5, low=0.25))
case("nn.BCEWithLogitsLoss/both", lambda x, t, w, p: torch.nn.BCEWithLogitsLoss(weight=w.detach(), pos_weight=p.detach())(x, t), X(3, 5), X(3, 5, low=0, high=1), X(5, low=0.25), X(5, low=0.25))
case("nn.KLDivLoss/batchmean", torch.nn.KLDivLoss(reduction="batchmean"), X(3, 5), X(3, 5, low=0.0625, high=1))
case("nn.PoissonNLLLoss/full", torch.nn.PoissonNLLLoss(full=True), X(3, 5), X(3, 5, low=0.0625, high=4))
case("nn.GaussianNLLLoss/full", torch.nn.GaussianNLLLoss(full=True), X(3, 5), X(3, 5), X(3, 5, **V))
case("nn.HingeEmbeddingLoss/margin", fixed(torch.nn.HingeEmbeddingLoss(margin=2.25)), X(3, 5))
case("nn.SoftMarginLoss/sum", fixed(torch.nn.SoftMarginLoss(reduction="sum")), X(3, 5))
case("nn.MarginRankingLoss/margin", fixed(torch.nn.MarginRankingLoss(margin=1.25)), X(3, 5), X(3, 5))
case("nn.CosineEmbeddingLoss/margin", lambda a, b: torch.nn.CosineEmbeddingLoss(margin=0.25)(a, b, ONES), X(4, 5), X(4, 5))
case("nn.TripletMarginLoss/swap", torch.nn.TripletMarginLoss(swap=True), X(4, 5), X(4, 5), X(4, 5))
case("nn.TripletMarginWithDistanceLoss/distance", torch.nn.TripletMarginWithDistanceLoss(distance_function=distance, margin=0.5), X(4, 5), X(4, 5), X(4, 5))
case("nn.MultiMarginLoss/weight", lambda x, y, w: torch.nn.MultiMarginLoss(p=2, weight=w.detach())(x, y), X(3, 5), Y, X(5, low=0.25))
case("nn.MultiLabelMarginLoss/sum", torch.nn.MultiLabelMarginLoss(reduction="sum"), X(3, 5), LISTS)
case("nn.MultiLabelSoftMarginLoss/weight", lambda x, t, w: torch.nn.MultiLabelSoftMarginLoss(weight=w.detach())(x, t), X(3, 5), X(3, 5, low=0, high=1), X(5, low=0.25))

write(__file__)
