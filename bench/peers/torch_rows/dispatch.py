"""What a call costs when there is next to nothing to compute."""

import ctypes
import os
import shutil
import subprocess
import tempfile

import torch
from protocol import repeat, repeat_waiting


def register(rows, compiled):
    @rows.row("add4/enqueue", "add4/dispose")
    def add():
        a, b = torch.randn(4), torch.randn(4)
        return repeat(lambda: torch.add(a, b))

    @rows.row("add4/sync")
    def add_waiting():
        a, b = torch.randn(4), torch.randn(4)
        return repeat_waiting(lambda: torch.add(a, b))

    @rows.row("add4/await")
    def read():
        a, b = torch.randn(4), torch.randn(4)
        return repeat(lambda: torch.add(a, b).tolist())

    def matmul(n):
        def prepare():
            a, b = torch.randn(n, n), torch.randn(n, n)
            return repeat(lambda: torch.matmul(a, b))

        return prepare

    for n in (4, 32):
        rows.row(f"matmul/{n}")(matmul(n))
    @rows.row("busy/exp")
    def exp():
        x, out = torch.randn(2**18), torch.empty(2**18)
        return repeat(lambda: torch.exp(x, out=out))

    if shutil.which("gcc"):
        rows.row("parallel/empty")(empty_region)


# What PyTorch's kernels are parallel with, without the kernel.
SOURCE = """
static volatile int touched[1024];
void regions(long count, int threads) {
  for (long i = 0; i < count; i++) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int t = 0; t < threads; t++) touched[t] = 1;
  }
}
"""


def empty_region():
    with tempfile.TemporaryDirectory() as folder:
        source, library = os.path.join(folder, "regions.c"), os.path.join(folder, "regions.so")
        with open(source, "w") as file:
            file.write(SOURCE)
        subprocess.run(["gcc", "-O2", "-fopenmp", "-shared", "-fPIC", "-o", library, source], check=True)
        regions = ctypes.CDLL(library).regions
    regions.argtypes = [ctypes.c_long, ctypes.c_int]
    threads = torch.get_num_threads()
    return lambda iterations: regions(iterations, threads)
