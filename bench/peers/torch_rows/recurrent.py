"""Recurrent layers by themselves."""

import torch
from protocol import repeat


def register(rows, compiled):
    def recurrent(name, layer_class, steps, inputs, hidden, layers=1):
        @rows.row(f"{name}/64x{steps}/{inputs}-{hidden}" + (f"x{layers}" if layers > 1 else ""))
        def prepare():
            layer = layer_class(inputs, hidden, num_layers=layers)
            x = torch.randn(steps, 64, inputs, requires_grad=True)
            g = torch.randn(steps, 64, hidden)
            wanted = [x, *layer.parameters()]
            return repeat(lambda: torch.autograd.grad(layer(x)[0], wanted, g))

    for name, layer_class in (("lstm", torch.nn.LSTM), ("gru", torch.nn.GRU)):
        recurrent(name, layer_class, 200, 128, 64)
        recurrent(name, layer_class, 100, 512, 512, 2)
