"""The benchmark's rows in PyTorch: python torch_peer.py THREADS eager|mkl|inductor DEVICE"""

import sys

import protocol
from protocol import refuse, serve, take_stdout

replies = take_stdout()
threads, mode, device = int(sys.argv[1]), sys.argv[2], sys.argv[3]
try:
    import torch
except ImportError as error:
    refuse(replies, f"{sys.executable} has no PyTorch ({error})")
torch.set_num_threads(threads)
if device != "cpu":
    if not torch.cuda.is_available():
        refuse(replies, f"PyTorch {torch.__version__} finds no GPU")
    torch.set_default_device(device)
    protocol.finish = torch.cuda.synchronize

import torch_rows  # noqa: E402: it imports torch

if mode == "mkl" and not torch.backends.mkl.is_available():
    refuse(replies, "this PyTorch was built without MKL")
names = {"eager": "PyTorch", "mkl": "PyTorch with MKL unlocked", "inductor": "torch.compile of PyTorch"}
serve(replies, names[mode], torch.__version__, torch_rows.rows_of(mode))
