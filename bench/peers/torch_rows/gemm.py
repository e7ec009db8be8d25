"""Matrix products: squares, and the shapes that training makes."""

import torch
from protocol import repeat


def register(rows, compiled):
    def product(name, m, n, k, first=False, second=False, dtype=torch.float32):
        @rows.row(name)
        def prepare():
            a = torch.randn(k, m).to(dtype).t() if first else torch.randn(m, k).to(dtype)
            b = torch.randn(n, k).to(dtype).t() if second else torch.randn(k, n).to(dtype)
            return repeat(lambda: torch.matmul(a, b))

    for n in (256, 512, 1024, 2048):
        product(f"sgemm/{n}", n, n, n)
    for batch, inputs, outputs in ((128, 784, 512), (128, 512, 10), (2048, 384, 1536)):
        product(f"gemm/nt/{batch}x{outputs}x{inputs}", batch, outputs, inputs, second=True)
        product(f"gemm/nn/{batch}x{inputs}x{outputs}", batch, inputs, outputs)
        product(f"gemm/tn/{outputs}x{inputs}x{batch}", outputs, inputs, batch, first=True)
    product("gemv/784x512", 1, 512, 784, second=True)
    for n in (512, 1024, 2048):
        product(f"bf16gemm/{n}", n, n, n, dtype=torch.bfloat16)
