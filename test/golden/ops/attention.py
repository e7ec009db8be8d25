"""Writes attention.json, the goldens of attention and positional encodings. Needs PyTorch; run by hand, the result is committed."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from case import B, X, case, f64, write
from layer import layer

sdpa = F.scaled_dot_product_attention

# ---- scaledDotProductAttention
NAME = "scaledDotProductAttention"
BOOLS = B([[True, False, True, True, False], [False] * 5, [False, True, False, False, False]])
case(f"{NAME}/matrix", sdpa, X(3, 4), X(5, 4), X(5, 2))
case(f"{NAME}/batch", sdpa, X(2, 3, 4), X(2, 5, 4), X(2, 5, 4))
case(f"{NAME}/heads", sdpa, X(2, 2, 3, 4), X(2, 2, 5, 4), X(2, 2, 5, 3))
case(f"{NAME}/five", sdpa, X(2, 1, 2, 3, 2), X(2, 1, 2, 2, 2), X(2, 1, 2, 2, 3))
case(f"{NAME}/broadcast", sdpa, X(2, 2, 3, 2), X(1, 2, 4, 2), X(2, 1, 4, 3))
case(f"{NAME}/one", sdpa, X(1, 1), X(1, 1), X(1, 1))
case(f"{NAME}/floatMask", lambda q, k, v, m: sdpa(q, k, v, m), X(2, 2, 3, 4), X(2, 2, 5, 4), X(2, 2, 5, 3), X(3, 5))
case(f"{NAME}/fullMask", lambda q, k, v, m: sdpa(q, k, v, m), X(2, 1, 2, 2), X(2, 1, 3, 2), X(2, 1, 3, 2), X(2, 1, 2, 3))
case(f"{NAME}/boolMask", lambda q, k, v, m: sdpa(q, k, v, m), X(2, 2, 3, 4), X(2, 2, 5, 4), X(2, 2, 5, 3), BOOLS)
case(f"{NAME}/paddingMask", lambda q, k, v, m: sdpa(q, k, v, m), X(2, 2, 3, 4), X(2, 2, 4, 4), X(2, 2, 4, 3), B([[[[True, True, False, False]]], [[[True, True, True, False]]]]))
case(f"{NAME}/causal", lambda q, k, v: sdpa(q, k, v, is_causal=True), X(2, 4, 4), X(2, 4, 4), X(2, 4, 4))
case(f"{NAME}/causalTall", lambda q, k, v: sdpa(q, k, v, is_causal=True), X(4, 3), X(2, 3), X(2, 3))
case(f"{NAME}/causalWide", lambda q, k, v: sdpa(q, k, v, is_causal=True), X(2, 3), X(4, 3), X(4, 3))
case(f"{NAME}/scale", lambda q, k, v: sdpa(q, k, v, scale=0.3), X(3, 4), X(5, 4), X(5, 2))
case(f"{NAME}/grouped", lambda q, k, v: sdpa(q, k, v, enable_gqa=True), X(2, 4, 3, 2), X(2, 2, 4, 2), X(2, 2, 4, 2))
case(f"{NAME}/groupedCausal", lambda q, k, v: sdpa(q, k, v, is_causal=True, enable_gqa=True), X(4, 3, 2), X(1, 3, 2), X(1, 3, 2))
case(f"{NAME}/noQueries", sdpa, X(2, 0, 4), X(2, 5, 4), X(2, 5, 3))
case(f"{NAME}/noKeys", sdpa, X(2, 3, 4), X(2, 0, 4), X(2, 0, 3))
case(f"{NAME}/noFeatures", sdpa, X(2, 3, 0), X(2, 4, 0), X(2, 4, 3))
case(f"{NAME}/noBatch", sdpa, X(0, 3, 4), X(0, 5, 4), X(0, 5, 3))

# ---- rotary embedding


def rotary(x, cos, sin, interleaved=True):
    half = x.shape[-1] // 2
    a, b = (x[..., ::2], x[..., 1::2]) if interleaved else (x[..., :half], x[..., half:])
    first, second = a * cos - b * sin, a * sin + b * cos
    return torch.stack([first, second], -1).flatten(-2) if interleaved else torch.cat([first, second], -1)


def angles(length, dim, offset=0):
    rates = 10000.0 ** (-torch.arange(0, dim, 2, dtype=f64) / dim)
    angle = torch.arange(offset, offset + length, dtype=f64)[:, None] * rates
    return angle.cos(), angle.sin()


case("applyRotary/pairs", rotary, X(2, 3, 4), X(3, 2), X(3, 2))
case("applyRotary/halves", lambda x, c, s: rotary(x, c, s, False), X(2, 3, 4), X(3, 2), X(3, 2))
case("applyRotary/broadcast", rotary, X(2, 2, 3, 4), X(2, 1, 3, 2), X(1, 2))
case("applyRotary/empty", rotary, X(2, 0, 4), X(0, 2), X(0, 2))
case("nn.RotaryEmbedding/pairs", lambda x: rotary(x, *angles(3, 4)), X(2, 3, 4))
case("nn.RotaryEmbedding/halves", lambda x: rotary(x, *angles(3, 4, 5), False), X(2, 3, 4))

# ---- other positional encodings


def sinusoids(length, dim):
    table = torch.zeros(length, dim, dtype=f64)
    rates = 10000.0 ** (-torch.arange(0, dim, 2, dtype=f64) / dim)
    angle = torch.arange(length, dtype=f64)[:, None] * rates
    table[:, ::2] = angle.sin()
    table[:, 1::2] = angle.cos()[:, : dim // 2]
    return table


case("nn.SinusoidalPositionalEncoding/rows", lambda x: x + sinusoids(3, 4)[:, None], X(3, 2, 4))
case("nn.SinusoidalPositionalEncoding/batchFirst", lambda x: x + sinusoids(3, 4), X(2, 3, 4))
case("nn.SinusoidalPositionalEncoding/odd", lambda x: x + sinusoids(3, 5), X(3, 5))
case("nn.LearnedPositionalEncoding/rows", lambda x, w: x + w[:3, None], X(3, 2, 4), X(5, 4))
case("nn.LearnedPositionalEncoding/batchFirst", lambda x, w: x + w[:3], X(2, 3, 4), X(5, 4))

# ---- multi-head attention
first = {"batch_first": True}
MHA = "nn.MultiheadAttention"
PAD = B([[False, False, False, True], [False, True, False, False]])
PAIRS = B([[False, True, False, False], [False, False, True, False], [False, False, False, True]])
attend = lambda **options: lambda run, *x: run(*(x if len(x) > 1 else (x[0],) * 3), **options)
layer(f"{MHA}/self", nn.MultiheadAttention(4, 2), attend(), X(3, 2, 4))
layer(f"{MHA}/selfFused", nn.MultiheadAttention(4, 2), attend(need_weights=False), X(3, 2, 4))
layer(f"{MHA}/batchFirst", nn.MultiheadAttention(4, 2, **first), attend(need_weights=False), X(2, 3, 4))
layer(f"{MHA}/unbatched", nn.MultiheadAttention(4, 2), attend(), X(3, 4))
layer(f"{MHA}/cross", nn.MultiheadAttention(4, 2, **first), attend(average_attn_weights=False), X(2, 3, 4), X(2, 4, 4), X(2, 4, 4))
layer(f"{MHA}/memory", nn.MultiheadAttention(4, 2, bias=False), lambda run, q, k: run(q, k, k, need_weights=False), X(3, 2, 4), X(4, 2, 4))
layer(f"{MHA}/widths", nn.MultiheadAttention(4, 2, kdim=3, vdim=2, **first), attend(), X(2, 3, 4), X(2, 4, 3), X(2, 4, 2))
masks = lambda **more: lambda run, q, k, pad, pairs: run(q, k, k, key_padding_mask=pad, attn_mask=pairs, **more)
layer(f"{MHA}/masks", nn.MultiheadAttention(4, 2, **first), masks(), X(2, 3, 4), X(2, 4, 4), PAD, PAIRS)
layer(f"{MHA}/masksFused", nn.MultiheadAttention(4, 2, **first), masks(need_weights=False), X(2, 3, 4), X(2, 4, 4), PAD, PAIRS)
layer(f"{MHA}/floatMask", nn.MultiheadAttention(4, 2, **first), lambda run, q, m: run(q, q, q, attn_mask=m, need_weights=False), X(2, 3, 4), X(4, 3, 3))
layer(f"{MHA}/causal", nn.MultiheadAttention(4, 2, **first), lambda run, q: run(q, q, q, attn_mask=~torch.ones(3, 3).bool().tril(), need_weights=False), X(2, 3, 4))
layer(f"{MHA}/causalWeights", nn.MultiheadAttention(4, 2, **first), lambda run, q: run(q, q, q, attn_mask=~torch.ones(3, 3).bool().tril()), X(2, 3, 4))
added = {"add_bias_kv": True, "add_zero_attn": True, **first}
layer(f"{MHA}/added", nn.MultiheadAttention(4, 2, **added), masks(), X(2, 3, 4), X(2, 4, 4), PAD, PAIRS)
layer(f"{MHA}/addedFused", nn.MultiheadAttention(4, 2, **added), masks(need_weights=False), X(2, 3, 4), X(2, 4, 4), PAD, PAIRS)

write(__file__)
