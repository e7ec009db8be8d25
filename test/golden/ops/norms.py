"""Normalisation and its layers; the layers of dropout in evaluation. See case.py."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from case import D, I, X, case, inf, write

# ---- rows
case("layerNorm/plain", lambda x: F.layer_norm(x, [7]), X(3, 7))
case("layerNorm/affine", lambda x, w, b: F.layer_norm(x, [7], w, b), X(3, 7), X(7), X(7))
case("layerNorm/weight", lambda x, w: F.layer_norm(x, [5], w), X(2, 3, 5), X(5))
case("layerNorm/bias", lambda x, b: F.layer_norm(x, [5], None, b), X(2, 3, 5), X(5))
case("layerNorm/several", lambda x, w, b: F.layer_norm(x, [3, 4], w, b, 0.1), X(2, 3, 4), X(3, 4), X(3, 4))
case("layerNorm/wide", lambda x, w, b: F.layer_norm(x, [37], w, b), X(5, 37), X(37), X(37))
case("layerNorm/whole", lambda x: F.layer_norm(x, [6]), X(6))
case("layerNorm/one", lambda x: F.layer_norm(x, [1]), X(3, 1))
case("layerNorm/noRows", lambda x, w, b: F.layer_norm(x, [3], w, b), X(0, 3), X(3), X(3))
case("layerNorm/noColumns", lambda x: F.layer_norm(x, [0]), X(3, 0))
case("layerNorm/shifted", lambda x: F.layer_norm(x, [4]), D([[1000.5, 1000.25, 1001.0, 999.75], [-4096.0, -4097.0, -4095.5, -4096.25]]), grad=False)
case("rmsNorm/plain", lambda x: F.rms_norm(x, [7]), X(3, 7))
case("rmsNorm/weight", lambda x, w: F.rms_norm(x, [7], w), X(3, 7), X(7))
case("rmsNorm/several", lambda x, w: F.rms_norm(x, [3, 4], w, 0.1), X(2, 3, 4), X(3, 4))
case("rmsNorm/wide", lambda x, w: F.rms_norm(x, [37], w, 1e-5), X(5, 37), X(37))
case("rmsNorm/noRows", lambda x, w: F.rms_norm(x, [3], w), X(0, 3), X(3))

# ---- groups
case("groupNorm/plain", lambda x: F.group_norm(x, 2), X(2, 4, 3))
case("groupNorm/affine", lambda x, w, b: F.group_norm(x, 2, w, b), X(2, 4, 3), X(4), X(4))
case("groupNorm/weight", lambda x, w: F.group_norm(x, 3, w, eps=0.1), X(2, 6, 2, 3), X(6))
case("groupNorm/bias", lambda x, b: F.group_norm(x, 1, torch.ones(2, dtype=x.dtype), b), X(3, 2, 5), X(2))
case("groupNorm/flat", lambda x, w, b: F.group_norm(x, 2, w, b), X(3, 6), X(6), X(6))
case("groupNorm/single", lambda x, w, b: F.group_norm(x, 4, w, b), X(2, 4, 5), X(4), X(4))
case("groupNorm/long", lambda x, w, b: F.group_norm(x, 2, w, b), X(1, 4, 19), X(4), X(4))
case("groupNorm/noItems", lambda x, w, b: F.group_norm(x, 2, w, b), X(0, 4, 3), X(4), X(4))
case("instanceNorm/plain", F.instance_norm, X(2, 3, 5))
case("instanceNorm/affine", lambda x, w, b: F.instance_norm(x, weight=w, bias=b), X(2, 3, 2, 3), X(3), X(3))
MEAN, VAR = D([0.5, -1.0, 2.0]), D([0.25, 4.0, 1.5])
case("instanceNorm/given", lambda x: F.instance_norm(x, MEAN, VAR, use_input_stats=False), X(2, 3, 4))
case("instanceNorm/noPlaces", lambda x: F.instance_norm(x), X(2, 3, 0))

# ---- channels
case("batchNorm/training", lambda x: F.batch_norm(x, None, None, training=True), X(4, 3))
case("batchNorm/affine", lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), X(5, 3), X(3), X(3))
case("batchNorm/weight", lambda x, w: F.batch_norm(x, None, None, w, training=True, eps=0.1), X(3, 4, 2), X(4))
case("batchNorm/bias", lambda x, b: F.batch_norm(x, None, None, torch.ones(4, dtype=x.dtype), b, training=True), X(3, 4, 2, 2), X(4))
case("batchNorm/images", lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), X(2, 3, 6, 6), X(3), X(3))
case("batchNorm/manyChannels", lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), X(2, 17, 33), X(17), X(17))
case("batchNorm/columns", lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), X(3, 19), X(19), X(19))
case("batchNorm/given", lambda x, w, b: F.batch_norm(x, MEAN, VAR, w, b), X(2, 3, 4), X(3), X(3))
case("batchNorm/givenPlain", lambda x: F.batch_norm(x, MEAN, VAR, eps=0.1), X(4, 3))
case("batchNorm/noItems", lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), X(0, 3, 2), X(3), X(3), grad=False)
case("batchNorm/shifted", lambda x: F.batch_norm(x, None, None, training=True), D([[1000.5], [1000.25], [1001.0], [999.75]]), grad=False)

# ---- others
case("localResponseNorm/odd", lambda x: F.local_response_norm(x, 3, alpha=0.5), X(2, 5, 3))
case("localResponseNorm/even", lambda x: F.local_response_norm(x, 4, alpha=0.5, beta=0.5, k=2), X(2, 5, 2, 2))
case("localResponseNorm/one", lambda x: F.local_response_norm(x, 1, alpha=0.5), X(1, 3, 2))
case("localResponseNorm/default", lambda x: F.local_response_norm(x, 7), X(1, 3, 2))
case("localResponseNorm/empty", lambda x: F.local_response_norm(x, 2), X(0, 3, 2), grad=False)
case("normalize/two", F.normalize, X(3, 5))
case("normalize/first", lambda x: F.normalize(x, dim=0), X(3, 5))
case("normalize/one", lambda x: F.normalize(x, p=1, dim=-1), X(2, 3, 4))
case("normalize/three", lambda x: F.normalize(x, p=3), X(3, 5))
case("normalize/fraction", lambda x: F.normalize(x, p=1.5), X(3, 5))
case("normalize/infinity", lambda x: F.normalize(x, p=inf), X(3, 5))
case("normalize/limited", lambda x: F.normalize(x, eps=100.0), X(3, 5))
case("normalize/zero", F.normalize, D([[0.0, 0.0], [3.0, 4.0]]), grad=False)
case("normalize/kink", lambda x: F.normalize(x, eps=0.5), D([[0.0, 0.0], [3.0, 4.0]]))
case("normalize/empty", F.normalize, X(0, 3))


# ---- layers: x, then the state
def layer(module):
    def run(x, *state):
        own = module.double()
        own.load_state_dict({name: value.detach() for name, value in zip(own.state_dict(), state, strict=True)})
        return own(x)

    return run


def state(c):
    return [X(c), X(c), X(c), X(c, low=0.25), I(3)]


case("nn.BatchNorm1d/flat", layer(nn.BatchNorm1d(3)), X(4, 3), *state(3))
case("nn.BatchNorm1d/training", layer(nn.BatchNorm1d(3)), X(4, 3, 2), *state(3))
case("nn.BatchNorm1d/evaluation", layer(nn.BatchNorm1d(3).eval()), X(4, 3), *state(3))
case("nn.BatchNorm2d/training", layer(nn.BatchNorm2d(2)), X(2, 2, 3, 2), *state(2))
case("nn.BatchNorm2d/evaluation", layer(nn.BatchNorm2d(2).eval()), X(1, 2, 3, 2), *state(2))
case("nn.BatchNorm2d/untracked", layer(nn.BatchNorm2d(2, track_running_stats=False).eval()), X(2, 2, 3, 2), X(2), X(2))
case("nn.BatchNorm2d/plain", layer(nn.BatchNorm2d(2, affine=False, eps=0.1)), X(2, 2, 3, 2), X(2), X(2, low=0.25), I(0))
case("nn.BatchNorm3d/training", layer(nn.BatchNorm3d(2)), X(2, 2, 1, 3, 2), *state(2))
case("nn.LayerNorm/plain", layer(nn.LayerNorm(4)), X(3, 4), X(4), X(4))
case("nn.LayerNorm/several", layer(nn.LayerNorm([2, 3], eps=0.1, bias=False)), X(4, 2, 3), X(2, 3))
case("nn.LayerNorm/bare", layer(nn.LayerNorm(4, elementwise_affine=False)), X(3, 4))
case("nn.RMSNorm/plain", layer(nn.RMSNorm(4)), X(3, 4), X(4))
case("nn.RMSNorm/bare", layer(nn.RMSNorm([2, 3], eps=0.1, elementwise_affine=False)), X(4, 2, 3))
case("nn.GroupNorm/plain", layer(nn.GroupNorm(2, 4)), X(2, 4, 3), X(4), X(4))
case("nn.GroupNorm/bare", layer(nn.GroupNorm(2, 4, affine=False, eps=0.1)), X(2, 4, 3))
case("nn.InstanceNorm1d/plain", layer(nn.InstanceNorm1d(3)), X(2, 3, 4))
case("nn.InstanceNorm1d/alone", layer(nn.InstanceNorm1d(3, affine=True)), X(3, 4), X(3), X(3))
case("nn.InstanceNorm2d/affine", layer(nn.InstanceNorm2d(3, affine=True)), X(2, 3, 2, 2), X(3), X(3))
case("nn.InstanceNorm2d/tracked", layer(nn.InstanceNorm2d(3, affine=True, track_running_stats=True)), X(2, 3, 2, 2), *state(3))
case("nn.InstanceNorm2d/evaluation", layer(nn.InstanceNorm2d(3, affine=True, track_running_stats=True).eval()), X(2, 3, 2, 2), *state(3))
case("nn.InstanceNorm3d/plain", layer(nn.InstanceNorm3d(2)), X(2, 2, 2, 1, 3))
case("nn.LocalResponseNorm/plain", layer(nn.LocalResponseNorm(3, alpha=0.5)), X(2, 4, 3))

# ---- dropout that drops nothing
for name, shape in {"dropout": (2, 3), "dropout1d": (2, 3, 2), "dropout2d": (2, 3, 2, 2), "dropout3d": (1, 2, 2, 1, 2), "alphaDropout": (2, 3), "featureAlphaDropout": (2, 3, 2)}.items():
    case(f"{name}/evaluation", lambda x: x * 1, X(*shape))
    title = name[0].upper() + name[1:]
    case(f"nn.{title}/evaluation", lambda x: x * 1, X(*shape))

write(__file__)
