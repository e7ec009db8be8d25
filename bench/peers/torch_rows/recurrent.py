"""A recurrent layer by itself."""

import torch
from protocol import repeat


def register(rows, compiled):
    def recurrent(name, layer_class):
        @rows.row(f"{name}/64x200/128-64")
        def prepare():
            layer = layer_class(128, 64)
            x = torch.randn(200, 64, 128, requires_grad=True)
            g = torch.randn(200, 64, 64)
            wanted = [x, *layer.parameters()]
            return repeat(lambda: torch.autograd.grad(layer(x)[0], wanted, g))

    recurrent("lstm", torch.nn.LSTM)
    recurrent("gru", torch.nn.GRU)
