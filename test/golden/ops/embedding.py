"""Embedding tables and normalised weights: writes embedding.json; see case.py."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from case import I, X, case, write

# ---- embedding
case("embedding/padding", lambda w, i: F.embedding(i, w, padding_idx=1), X(4, 3), I([[0, 1, 3], [1, 1, 0]]))
case("embedding/paddingNegative", lambda w, i: F.embedding(i, w, padding_idx=-1), X(4, 2), I([3, 0, 3]))
case("embedding/frequency", lambda w, i: F.embedding(i, w, scale_grad_by_freq=True), X(4, 3), I([[0, 1, 0], [2, 0, 1]]))


def bag(weight, indices, offsets=None, per=None, **options):
    return F.embedding_bag(indices, weight, offsets, per_sample_weights=per, **options)


FLAT, OFFSETS, TABLE = I([1, 2, 4, 3, 1, 0]), I([0, 2, 2, 5]), I([[0, 3, 1], [4, 4, 2]])
for mode in ("sum", "mean", "max"):
    case(f"embeddingBag/{mode}", lambda w, i, o: bag(w, i, o, mode=mode), X(5, 3), FLAT, OFFSETS)
    case(f"embeddingBag/{mode}Table", lambda w, i: bag(w, i, mode=mode), X(5, 3), TABLE)
    case(f"embeddingBag/{mode}Padding", lambda w, i, o: bag(w, i, o, mode=mode, padding_idx=1), X(5, 2), I([1, 2, 1, 3, 1, 0]), I([0, 2, 3]))
case("embeddingBag/last", lambda w, i, o: bag(w, i, o, mode="sum", include_last_offset=True), X(5, 2), FLAT, I([0, 2, 6]))
case("embeddingBag/weighted", lambda w, p, i, o: bag(w, i, o, p, mode="sum"), X(5, 3), X(6), FLAT, OFFSETS)
case("embeddingBag/weightedTable", lambda w, p, i: bag(w, i, None, p, mode="sum"), X(5, 3), X(2, 3), TABLE)


def module(layer, *parameters):
    layer = layer.double()
    with torch.no_grad():
        for own, value in zip(layer.parameters(), parameters):
            own.copy_(value.detach())
    return layer


case("nn.Embedding/plain", lambda i, w: module(nn.Embedding(4, 3), w)(i).detach(), I([[0, 3], [3, 1]]), X(4, 3), grad=False)
case("nn.EmbeddingBag/plain", lambda i, o, w: module(nn.EmbeddingBag(5, 3), w)(i, o).detach(), FLAT, OFFSETS, X(5, 3), grad=False)
case("nn.Unflatten/plain", nn.Unflatten(1, (2, 3)), X(2, 6))

# ---- normalised weights
case("weightNorm/linear", lambda x, v, g: F.linear(x, torch._weight_norm(v, g, 0)), X(2, 4), X(3, 4), X(3, 1))
case("weightNorm/dim", lambda x, v, g: F.linear(x, torch._weight_norm(v, g, 1)), X(2, 4), X(3, 4), X(1, 4))
case("weightNorm/whole", lambda x, v, g: F.linear(x, v * (g / v.norm())), X(2, 4), X(3, 4), X())


def spectral(x, weight, u, v, training=True, steps=1):
    layer = nn.utils.spectral_norm(nn.Linear(4, 3, bias=False).double(), n_power_iterations=steps).train(training)
    del layer.weight_orig
    layer.weight_orig = weight
    layer.weight_u, layer.weight_v = u.detach().clone(), v.detach().clone()
    out = layer(x)
    return [out, layer.weight_u.clone(), layer.weight_v.clone()]


case("spectralNorm/training", lambda x, w, u, v: spectral(x, w, u, v, True, 2), X(2, 4), X(3, 4), X(3), X(4))
case("spectralNorm/evaluation", lambda x, w, u, v: spectral(x, w, u, v, False), X(2, 4), X(3, 4), X(3), X(4))

write(__file__)
