"""The benchmark's rows in JAX, compiled: python jax_peer.py THREADS jit"""

import os
import sys

from protocol import refuse, serve, take_stdout

replies = take_stdout()
threads = int(sys.argv[1])
os.environ["JAX_PLATFORMS"] = "cpu"
# XLA makes as many threads as the process has processors when it starts, and has no other switch for it. Once they are
# there, they may run wherever the system likes.
processors = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
if processors is not None:
    os.sched_setaffinity(0, sorted(processors)[:threads])
try:
    import jax
except ImportError as error:
    refuse(replies, f"{sys.executable} has no JAX ({error})")
jax.block_until_ready(jax.jit(lambda a: a @ a)(jax.numpy.ones((512, 512))))
if processors is not None:
    for task in os.listdir("/proc/self/task"):
        os.sched_setaffinity(int(task), processors)

import jax_rows  # noqa: E402: it imports jax

serve(replies, "JAX", jax.__version__, jax_rows.rows)
