"""What memory bounds: elementwise ops, softmax, norms, reductions."""

import torch
import torch.nn.functional as F
from protocol import repeat

MB = 2**20
ELEMENTWISE = {
    "relu": lambda a, b: torch.relu(a),
    "add": lambda a, b: torch.add(a, b),
    "exp": lambda a, b: torch.exp(a),
    "gelu": lambda a, b: F.gelu(a),
}
INTO = {"relu": lambda a, b, out: torch.clamp_min(a, 0, out=out), "add": lambda a, b, out: torch.add(a, b, out=out)}


def register(rows, compiled):
    def elementwise(name, megabytes):
        @rows.row(f"{name}/{megabytes}MB")
        def prepare():
            function = ELEMENTWISE[name] if compiled is None else compiled(ELEMENTWISE[name])
            a, b = torch.randn(megabytes * MB // 4), torch.randn(megabytes * MB // 4)
            return repeat(lambda: function(a, b))

    def into(name):
        @rows.row(f"{name}/64MB/out")
        def prepare():
            function = INTO[name]
            a, b = torch.randn(16 * MB), torch.randn(16 * MB)
            out = torch.zeros_like(a)
            return repeat(lambda: function(a, b, out))

    for name in ("relu", "add"):
        elementwise(name, 64)
        if compiled is None:
            into(name)
    for name in ELEMENTWISE:
        elementwise(name, 8)

    @rows.row("sum/64MB")
    def total():
        function = torch.sum if compiled is None else compiled(torch.sum)
        a = torch.randn(16 * MB)
        return repeat(lambda: function(a))

    def normalisation(name, shape, make):
        def setup():
            layer = make()
            function = layer if compiled is None else compiled(layer)
            parameters = list(layer.parameters()) if isinstance(layer, torch.nn.Module) else []
            return function, parameters

        @rows.row(f"{name}/8MB")
        def forward():
            function, _ = setup()
            x = torch.randn(shape)

            def work():
                with torch.no_grad():
                    function(x)

            return repeat(work)

        @rows.row(f"{name}/8MB/both")
        def both():
            function, parameters = setup()
            x = torch.randn(shape, requires_grad=True)
            g = torch.randn(shape)
            return repeat(lambda: torch.autograd.grad(function(x), [x, *parameters], g))

    normalisation("softmax", (2048, 1024), lambda: torch.nn.Softmax(1))
    normalisation("layernorm", (2048, 1024), lambda: torch.nn.LayerNorm(1024))
    normalisation("batchnorm", (32, 64, 32, 32), lambda: torch.nn.BatchNorm2d(64))
