"""The rows of bench/rows/ in PyTorch, with the settings that make it fastest."""

import shutil

from protocol import Rows

from . import conv, device, dispatch, gemm, memory, models, optim, recurrent

families = {module.__name__.split(".")[-1]: module for module in (dispatch, gemm, conv, memory, optim, recurrent, models, device)}
# Where its matrix products come from MKL, and where its compiler has something to compile.
modes = {
    "eager": list(families),
    "mkl": ["gemm", "recurrent", "models"],
    "inductor": ["memory", "models"],
}


def rows_of(mode):
    rows = Rows()
    compiled = None
    if mode == "inductor":
        if not any(shutil.which(compiler) for compiler in ("g++", "clang++")):
            raise SystemExit("torch.compile takes a C++ compiler, and there is none")
        compiled = _compiled
    for family in modes[mode]:
        families[family].register(rows, compiled)
    return rows


def _compiled(function):
    import torch

    # Rows of other shapes are other programs, and what one left behind is none of the next one's business.
    torch._dynamo.reset()
    return torch.compile(function, dynamic=False)
