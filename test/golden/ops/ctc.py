"""Writes ctc.json, the goldens of connectionist temporal classification. Needs PyTorch; run by hand."""

import torch
import torch.nn.functional as F

from case import I, X, case, i32, write

T, N, C, S = 7, 3, 5, 3
TARGETS = I([[1, 2, 2], [3, 1, 0], [4, 0, 0]])
INPUTS, LENGTHS = (7, 5, 6), (3, 2, 1)


def ctc(x, y, inputs=INPUTS, lengths=LENGTHS, **kw):
    return F.ctc_loss(F.log_softmax(x, -1), y, inputs, lengths, **kw)


for reduction in ("none", "mean", "sum"):
    case(f"ctcLoss/{reduction}", lambda x, y, r=reduction: ctc(x, y, reduction=r), X(T, N, C), TARGETS)
case("ctcLoss/int32", lambda x, y: ctc(x, y.long()), X(T, N, C), I(TARGETS.tolist(), i32))
case("ctcLoss/row", lambda x, y: ctc(x, y), X(T, N, C), I([1, 2, 2, 3, 1, 4]))
case("ctcLoss/tensors", lambda x, y, i, l: ctc(x, y, i, l), X(T, N, C), TARGETS, I(INPUTS), I(LENGTHS, i32).long())
case("ctcLoss/blank", lambda x, y: ctc(x, y, blank=4, reduction="none"), X(T, N, C), I([[1, 2, 2], [3, 1, 0], [0, 0, 0]]))
case("ctcLoss/single", lambda x, y: ctc(x, y, (7,), (3,)), X(T, C), I([1, 2, 2]))
case("ctcLoss/singleNone", lambda x, y: ctc(x, y, (7,), (3,), reduction="none"), X(T, C), I([1, 2, 2]))
case("ctcLoss/noTargets", lambda x, y: ctc(x, y, INPUTS, (0, 2, 0), reduction="none"), X(T, N, C), TARGETS)
case("ctcLoss/noFrames", lambda x, y: ctc(x, y, (7, 0, 6), (3, 0, 1), reduction="none"), X(T, N, C), TARGETS)
case("ctcLoss/manyClasses", lambda x, y: ctc(x, y, (4, 4), (1, 2), reduction="none"), X(4, 2, 40), I([[31, 0], [7, 7]]))
case("ctcLoss/wide", lambda x, y: ctc(x, y, (30,), (11,)), X(30, 1, 4), I([[1, 2, 3, 3, 2, 1, 1, 3, 2, 2, 1]]))
# The gradient of a log probability itself is PyTorch's, not the derivative.
case("ctcLoss/kinkLogProbs", lambda x, y: F.ctc_loss(x, y, INPUTS, LENGTHS), X(T, N, C, low=-4, high=-0.25), TARGETS)
# Two equal labels need three frames.
case("ctcLoss/kinkInfinite", lambda x, y: ctc(x, y, (2, 5, 6), LENGTHS, reduction="none"), X(T, N, C), TARGETS, grad=False)
case("ctcLoss/zeroInfinity", lambda x, y: ctc(x, y, (2, 5, 6), LENGTHS, reduction="none", zero_infinity=True), X(T, N, C), TARGETS)
case("ctcLoss/zeroInfinityMean", lambda x, y: ctc(x, y, (2, 5, 6), LENGTHS, zero_infinity=True), X(T, N, C), TARGETS)
case("nn.CTCLoss/blank", lambda x, y: torch.nn.CTCLoss(blank=4, zero_infinity=True)(F.log_softmax(x, -1), y, INPUTS, LENGTHS), X(T, N, C), I([[1, 2, 2], [3, 1, 0], [0, 0, 0]]))

write(__file__)
