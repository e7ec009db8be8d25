"""Large enough for a GPU: see bench/rows/device.ts."""

import torch
import torch.nn.functional as F
from protocol import repeat

COUNT = 2**28
ROWS, COLUMNS = 2**16, 4096
ELEMENTWISE = {
    "copy": lambda a, b: a.clone(),
    "relu": lambda a, b: torch.relu(a),
    "add": lambda a, b: torch.add(a, b),
    "gelu": lambda a, b: F.gelu(a),
}


def register(rows, compiled):
    def elementwise(name, function):
        @rows.row(f"{name}/1024MB")
        def prepare():
            a, b = torch.randn(COUNT), torch.randn(COUNT)
            return repeat(lambda: function(a, b))

    for name, function in ELEMENTWISE.items():
        elementwise(name, function)

    def rowwise(name, make):
        @rows.row(f"{name}/1024MB")
        def forward():
            function = make()
            x = torch.randn(ROWS, COLUMNS)

            def work():
                with torch.no_grad():
                    function(x)

            return repeat(work)

        @rows.row(f"{name}/1024MB/both")
        def both():
            function = make()
            x = torch.randn(ROWS, COLUMNS, requires_grad=True)
            with torch.no_grad():
                shape = function(x).shape
            g = torch.randn(shape) if shape else None
            return repeat(lambda: torch.autograd.grad(function(x), x, g))

    def cross_entropy():
        target = torch.randint(0, COLUMNS, (ROWS,))
        return lambda x: F.cross_entropy(x, target)

    rowwise("softmax", lambda: torch.nn.Softmax(1))
    rowwise("layernorm", lambda: torch.nn.LayerNorm(COLUMNS))
    rowwise("crossentropy", cross_entropy)

    @rows.row("adam/1x100M")
    def adam():
        p = torch.randn(100_000_000, requires_grad=True)
        p.grad = torch.randn(100_000_000)
        return repeat(torch.optim.Adam([p], lr=1e-6, fused=True).step)

    def product(name, n, dtype):
        @rows.row(f"{name}/{n}")
        def prepare():
            a, b = torch.randn(n, n, dtype=dtype), torch.randn(n, n, dtype=dtype)
            return repeat(lambda: torch.matmul(a, b))

    product("bf16gemm", 4096, torch.bfloat16)
    product("bf16gemm", 8192, torch.bfloat16)
    product("f16gemm", 8192, torch.float16)
    product("sgemm", 4096, torch.float32)

    def sorting(name, lines, columns, dtype):
        @rows.row(f"sort/{name}")
        def prepare():
            shape = (lines, columns)
            x = torch.randint(-(2**52), 2**52, shape) if dtype is torch.int64 else torch.randn(shape)
            return repeat(lambda: torch.sort(x, dim=1, stable=True))

    sorting("1x64K", 1, 2**16, torch.float32)
    sorting("1x64M", 1, 2**26, torch.float32)
    sorting("128x1M", 128, 2**20, torch.float32)
    sorting("1x32M/int64", 1, 2**25, torch.int64)
