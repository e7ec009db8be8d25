"""Losses over classes and their layers. See case.py."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from case import D, I, X, case, i32, inf, nan, write

T = I([1, 0, 3, 4])
IMAGES = I([[[1, 0, 2], [2, 2, 0]], [[0, 1, 1], [-100, 2, 1]]])
LONG = I([[(7 * i + j) % 4 for i in range(19)] for j in range(2)])


class P(X):
    """Probabilities over dimension 1 (0 of a vector), in quarters of 64ths."""

    def make(self, rng, used):
        x = super().make(rng, used).abs() + 0.25
        return (x / x.sum(1 if x.dim() > 1 else 0, keepdim=True) * 2**20).round() / 2**20


# Constants, for there are no gradients of weights.
W5, W3 = D([0.5, 2.0, 1.0, 0.25, 3.0]), D([0.5, 2.0, 1.25])
for reduction in ("none", "mean", "sum"):
    r = {"reduction": reduction}
    case(f"crossEntropy/{reduction}Weighted", lambda x, t, r=r: F.cross_entropy(x, t, W5, **r), X(4, 5), T)
    case(f"crossEntropy/{reduction}WeightedIgnored", lambda x, t, r=r: F.cross_entropy(x, t, W5, ignore_index=3, label_smoothing=0.25, **r), X(4, 5), T)
    case(f"crossEntropy/{reduction}Images", lambda x, t, r=r: F.cross_entropy(x, t, **r), X(2, 3, 2, 3), IMAGES)
    case(f"crossEntropy/{reduction}ImagesWeighted", lambda x, t, r=r: F.cross_entropy(x, t, W3, label_smoothing=0.25, **r), X(2, 3, 2, 3), IMAGES)
    case(f"crossEntropy/{reduction}Soft", lambda x, t, r=r: F.cross_entropy(x, t, **r), X(4, 5), P(4, 5))
    case(f"crossEntropy/{reduction}SoftWeighted", lambda x, t, r=r: F.cross_entropy(x, t, W5, label_smoothing=0.25, **r), X(4, 5), P(4, 5))
    case(f"crossEntropy/{reduction}SoftImages", lambda x, t, r=r: F.cross_entropy(x, t, W3, label_smoothing=0.25, **r), X(2, 3, 2, 2), P(2, 3, 2, 2))
    case(f"nllLoss/{reduction}Weighted", lambda x, t, r=r: F.nll_loss(x, t, W5, ignore_index=3, **r), X(4, 5), T)
    case(f"nllLoss/{reduction}Images", lambda x, t, r=r: F.nll_loss(x, t, W3, **r), X(2, 3, 2, 3), IMAGES)
case("crossEntropy/softOne", F.cross_entropy, X(5), P(5))
case("crossEntropy/smoothedOne", lambda x, t: F.cross_entropy(x, t, label_smoothing=0.5), X(5), I(2))
case("crossEntropy/wide", F.cross_entropy, X(3, 41), I([40, 0, 17]))
case("crossEntropy/wideSmoothed", lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1), X(3, 41), I([40, -100, 17]))
case("crossEntropy/long", F.cross_entropy, X(2, 4, 19), LONG)
case("crossEntropy/longSoft", F.cross_entropy, X(1, 3, 19), P(1, 3, 19))
case("crossEntropy/int32Images", lambda x, t: F.cross_entropy(x, t.long()), X(2, 3, 2, 3), IMAGES.to(i32))
case("crossEntropy/noItems", lambda x, t: F.cross_entropy(x, t, reduction="sum"), X(0, 3), I([]))
case("crossEntropy/noPositions", lambda x, t: F.cross_entropy(x, t, reduction="none"), X(2, 3, 0), I([[], []]))
case("crossEntropy/noItemsMean", F.cross_entropy, X(0, 3), I([]), grad=False)
case("crossEntropy/largeImages", F.cross_entropy, D([[[1e4, 3.0], [0.0, 1e4], [-1e4, 5.0]]]), I([[2, 0]]))
case("crossEntropy/infinite", lambda x, t: F.cross_entropy(x, t, reduction="none"), D([[-inf, 0.0, 1.0], [0.0, -inf, 1.0], [nan, 0.0, 1.0], [inf, 0.0, 1.0]]), I([1, 1, 0, 1]), grad=False)
case("crossEntropy/allIgnoredWeighted", lambda x, t: F.cross_entropy(x, t, W3, ignore_index=1), X(2, 3), I([1, 1]), grad=False)
case("nllLoss/noItems", lambda x, t: F.nll_loss(x, t, reduction="sum"), X(0, 3), I([]))

case("nn.CrossEntropyLoss/plain", nn.CrossEntropyLoss(), X(4, 5), T)
case("nn.CrossEntropyLoss/options", lambda x, t: nn.CrossEntropyLoss(W5, ignore_index=3, reduction="sum", label_smoothing=0.25)(x, t), X(4, 5), T)
case("nn.NLLLoss/plain", nn.NLLLoss(), X(4, 5), T)
case("nn.NLLLoss/options", lambda x, t: nn.NLLLoss(W5, ignore_index=3, reduction="sum")(x, t), X(4, 5), T)

write(__file__)
