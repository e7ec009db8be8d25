"""Convolutions, forward and backward, in the memory format that is faster."""

import torch
from protocol import repeat


def register(rows, compiled):
    def convolution(name, batch, inputs, outputs, size, kernel, stride=1, groups=1, first=False, layout=torch.channels_last):
        @rows.row(name)
        def prepare():
            padding = (kernel - 1) // 2
            layer = torch.nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups).to(memory_format=layout)
            x = torch.randn(batch, inputs, size, size).to(memory_format=layout).requires_grad_(not first)
            g = torch.randn_like(layer(x))
            wanted = ([] if first else [x]) + list(layer.parameters())
            return repeat(lambda: torch.autograd.grad(layer(x), wanted, g))

    convolution("conv3x3/3-32@32", 128, 3, 32, 32, 3, first=True)
    convolution("conv3x3/16-32@32", 32, 16, 32, 32, 3, layout=torch.contiguous_format)
    convolution("conv3x3/64-128@32s2", 32, 64, 128, 32, 3, stride=2)
    convolution("conv3x3/32-64@16", 128, 32, 64, 16, 3)
    convolution("conv3x3/64-64@32", 32, 64, 64, 32, 3)
    convolution("conv3x3/128-128@16", 32, 128, 128, 16, 3)
    convolution("conv3x3/256-256@8", 32, 256, 256, 8, 3)
    convolution("conv1x1/256-64@16", 32, 256, 64, 16, 1)
    convolution("depthwise3x3/128@16", 32, 128, 128, 16, 3, groups=128)
