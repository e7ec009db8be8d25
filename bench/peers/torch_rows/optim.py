"""Updates of parameters: many small ones and few large ones."""

import torch
from protocol import repeat


def register(rows, compiled):
    def step(name, optimizer_class, count, size, **options):
        @rows.row(name)
        def prepare():
            params = [torch.randn(size, requires_grad=True) for _ in range(count)]
            for p in params:
                p.grad = torch.randn(size)
            return repeat(optimizer_class(params, lr=1e-6, **options).step)

    step("program/8x256", torch.optim.SGD, 8, 256, fused=True)
    step("adam/8x256", torch.optim.Adam, 8, 256, fused=True)
    for count, size, name in ((200, 10_000, "adam/200x10k"), (1, 10_000_000, "adam/1x10M")):
        step(name, torch.optim.Adam, count, size, fused=True)
        step(f"{name}/foreach", torch.optim.Adam, count, size)
