"""Writes transformer.json, the goldens of transformers. Needs PyTorch; run by hand, the result is committed."""

import torch
import torch.nn as nn

from case import B, X, f64, write
from layer import layer

first = {"batch_first": True}
options = {"dim_feedforward": 5, "dropout": 0.0}
ENCODER, DECODER = "nn.TransformerEncoderLayer", "nn.TransformerDecoderLayer"
square = nn.Transformer.generate_square_subsequent_mask
layer(f"{ENCODER}/plain", nn.TransformerEncoderLayer(4, 2, **options), lambda run, x: run(x), X(3, 2, 4))
layer(f"{ENCODER}/normFirst", nn.TransformerEncoderLayer(4, 2, norm_first=True, activation="gelu", **first, **options), lambda run, x: run(x), X(2, 3, 4))
layer(f"{ENCODER}/masked", nn.TransformerEncoderLayer(4, 2, bias=False, layer_norm_eps=0.1, **first, **options), lambda run, x, pad: run(x, src_mask=square(3).isinf(), src_key_padding_mask=pad), X(2, 3, 4), B([[False, False, True], [False, False, False]]))
layer(f"{ENCODER}/causal", nn.TransformerEncoderLayer(4, 2, activation=torch.tanh, **first, **options), lambda run, x: run(x, src_mask=square(3, dtype=f64), is_causal=True), X(2, 3, 4))
layer(f"{DECODER}/plain", nn.TransformerDecoderLayer(4, 2, **options), lambda run, x, m: run(x, m), X(3, 2, 4), X(2, 2, 4))
layer(f"{DECODER}/normFirst", nn.TransformerDecoderLayer(4, 2, norm_first=True, activation="gelu", **first, **options), lambda run, x, m, pad: run(x, m, tgt_mask=square(3, dtype=f64), memory_key_padding_mask=pad, tgt_is_causal=True), X(2, 3, 4), X(2, 2, 4), B([[False, True], [False, False]]))
layer("nn.TransformerEncoder/two", nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, **first, **options), 2, enable_nested_tensor=False), lambda run, x: run(x), X(2, 3, 4))
layer("nn.TransformerEncoder/norm", nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, **options), 1, norm=nn.LayerNorm(4), enable_nested_tensor=False), lambda run, x: run(x, mask=square(3, dtype=f64), is_causal=True), X(3, 2, 4))
layer("nn.TransformerDecoder/norm", nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, **options), 1, norm=nn.LayerNorm(4)), lambda run, x, m: run(x, m, memory_mask=square(3, dtype=f64)[:, :2]), X(3, 2, 4), X(2, 2, 4))
layer("nn.Transformer/small", nn.Transformer(4, 2, 1, 1, **options), lambda run, s, t: run(s, t, tgt_mask=square(3, dtype=f64), tgt_is_causal=True), X(2, 2, 4), X(3, 2, 4))

write(__file__)
