"""Writes activations.json, the goldens of activations and their layers. Needs PyTorch; run by hand, the result is
committed."""

import torch
import torch.nn.functional as F
from torch import nn

from case import SPECIAL, D, I, X, case, inf, nan, write

# The kinks are whole numbers and halves, and 0 is one of nearly all.
KINKS = D([-3.0, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0, 6.0, 7.0])


def hardsigmoid(x):
    """F.hardsigmoid, whose own gradient takes 1/6 from float32."""
    return F.hardtanh(x + 3, 0, 6) / 6


ACTIVATIONS = {
    "relu6": (F.relu6, (-2, 4)),
    "leakyRelu": (F.leaky_relu, (-4, 4)),
    "elu": (F.elu, (-4, 4)),
    "selu": (F.selu, (-4, 4)),
    "celu": (F.celu, (-4, 4)),
    "mish": (F.mish, (-4, 4)),
    "softplus": (F.softplus, (-4, 4)),
    "softsign": (F.softsign, (-4, 4)),
    "logSigmoid": (F.logsigmoid, (-4, 4)),
    "hardtanh": (F.hardtanh, (-2, 2)),
    "hardsigmoid": (hardsigmoid, (-4, 4)),
    "hardswish": (F.hardswish, (-4, 4)),
    "hardshrink": (F.hardshrink, (-2, 2)),
    "softshrink": (F.softshrink, (-2, 2)),
    "tanhshrink": (F.tanhshrink, (-4, 4)),
    "rrelu": (F.rrelu, (-4, 4)),
}
for name, (fn, (low, high)) in ACTIVATIONS.items():
    case(f"{name}/matrix", fn, X(3, 5, low=low, high=high))
    case(f"{name}/scalar", fn, X(low=low, high=high))
    case(f"{name}/empty", fn, X(0, 3))
    # x - tanh(x) has few digits for small x
    special = [v for v in SPECIAL if v != 1e-3] if name == "tanhshrink" else SPECIAL
    case(f"{name}/special", fn, D(special), grad=False)
    case(f"{name}/kink", fn, KINKS)
case("relu6/int64", F.relu6, I([-1, 3, 9]))
case("leakyRelu/slope", lambda x: F.leaky_relu(x, 0.2), X(3, 5))
case("leakyRelu/negativeSlope", lambda x: F.leaky_relu(x, -0.5), X(3, 5))
case("elu/alpha", lambda x: F.elu(x, 1.5), X(3, 5))
case("elu/alphaKink", lambda x: F.elu(x, 1.5), KINKS)
case("celu/alpha", lambda x: F.celu(x, 0.5), X(3, 5))
case("celu/negative", lambda x: F.celu(x, -0.5), X(3, 5, low=-1), grad=False)
case("softplus/beta", lambda x: F.softplus(x, beta=2.0, threshold=3.0), X(3, 5))
case("softplus/sharp", lambda x: F.softplus(x, beta=0.5, threshold=1e9), D([-700.0, 700.0, 40.0]))
case("hardtanh/bounds", lambda x: F.hardtanh(x, -0.5, 2.25), X(3, 5))
case("hardshrink/lambd", lambda x: F.hardshrink(x, 1.25), X(3, 5))
case("hardshrink/negative", lambda x: F.hardshrink(x, -1.0), X(3, 5))
case("softshrink/lambd", lambda x: F.softshrink(x, 1.25), X(3, 5))
case("threshold/matrix", lambda x: F.threshold(x, 0.25, -3.5), X(3, 5))
case("threshold/kink", lambda x: F.threshold(x, 0.5, 20.0), KINKS)
case("threshold/special", lambda x: F.threshold(x, 0.5, 20.0), D(SPECIAL), grad=False)
case("threshold/empty", lambda x: F.threshold(x, 0.5, 20.0), X(0, 3))
case("rrelu/slopes", lambda x: F.rrelu(x, 0.25, 0.5), X(3, 5))
tanh = lambda x: F.gelu(x, approximate="tanh")
case("gelu/tanh", tanh, X(3, 5))
case("gelu/tanhScalar", tanh, X())
case("gelu/tanhSpecial", tanh, D(SPECIAL), grad=False)
case("gelu/tanhTail", tanh, D([-10.0, -6.0, -5.0, 5.0, 10.0]), grad=False)
case("mish/large", F.mish, D([-1000.0, -50.0, 50.0, 1000.0]))
case("silu/large", F.silu, D([-1000.0, -50.0, 50.0, 1000.0]))
case("elu/large", F.elu, D([-1000.0, -50.0, 50.0, 1000.0]))

case("prelu/one", F.prelu, X(3, 5), X(1))
case("prelu/scalar", F.prelu, X(3, 5), X())
case("prelu/channels", F.prelu, X(2, 3, 4), X(3))
case("prelu/rows", F.prelu, X(4, 3), X(3))
case("prelu/images", F.prelu, X(2, 3, 2, 2), X(3))
case("prelu/vector", F.prelu, X(5), X(1))
case("prelu/empty", F.prelu, X(0, 3), X(3))
case("prelu/kink", F.prelu, D([-1.0, -0.0, 0.0, 2.0]), D([0.25]))
case("prelu/special", F.prelu, D(SPECIAL), D([0.25]), grad=False)

case("glu/last", F.glu, X(3, 6))
case("glu/first", lambda x: F.glu(x, 0), X(4, 3))
case("glu/middle", lambda x: F.glu(x, 1), X(2, 4, 3))
case("glu/vector", F.glu, X(8))
case("glu/empty", F.glu, X(0, 4))
case("glu/special", F.glu, D([[nan, 1.0, inf, 1.0, 2.0, -2.0], [1.0, nan, inf, -inf, inf, nan]]), grad=False)
case("softmin/last", lambda x: F.softmin(x, -1), X(3, 5))
case("softmin/first", lambda x: F.softmin(x, 0), X(3, 5))
case("softmin/empty", lambda x: F.softmin(x, 1), X(0, 3))

# ---- layers
LAYERS = {
    "ReLU6": nn.ReLU6(), "LeakyReLU": nn.LeakyReLU(0.2), "ELU": nn.ELU(1.5), "SELU": nn.SELU(), "CELU": nn.CELU(0.5),
    "GELU": nn.GELU(approximate="tanh"), "SiLU": nn.SiLU(), "Mish": nn.Mish(), "Softplus": nn.Softplus(2.0, 3.0),
    "Softsign": nn.Softsign(), "Sigmoid": nn.Sigmoid(), "LogSigmoid": nn.LogSigmoid(), "Tanh": nn.Tanh(),
    "Hardtanh": nn.Hardtanh(-2.25, 1.25), "Hardsigmoid": hardsigmoid, "Hardswish": nn.Hardswish(),
    "Hardshrink": nn.Hardshrink(1.25), "Softshrink": nn.Softshrink(1.25), "Tanhshrink": nn.Tanhshrink(),
    "Threshold": nn.Threshold(0.25, -3.5), "Softmax": nn.Softmax(0), "LogSoftmax": nn.LogSoftmax(-1),
    "Softmin": nn.Softmin(1), "GLU": nn.GLU(0), "Identity": nn.Identity(), "ReLU": nn.ReLU(),
    "RReLU": nn.RReLU(0.25, 0.5).eval(),
}
for name, layer in LAYERS.items():
    case(f"nn.{name}/matrix", layer, X(4, 6))
case("nn.GELU/default", nn.GELU(), X(4, 6))
case("nn.ELU/default", nn.ELU(), X(4, 6))
case("nn.GLU/default", nn.GLU(), X(4, 6))


def prelu(x, weight):
    layer = nn.PReLU(weight.numel()).double()
    layer.weight = nn.Parameter(weight.detach())
    return layer(x)


case("nn.PReLU/one", prelu, X(4, 6), X(1))
case("nn.PReLU/channels", prelu, X(2, 3, 4), X(3))

write(__file__)
