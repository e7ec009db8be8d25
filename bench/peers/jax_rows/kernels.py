"""Matrix products and what memory bounds."""

import jax
import jax.numpy as jnp
from protocol import repeat

MB = 2**20


def randn(*shape, dtype=jnp.float32):
    return jax.random.normal(jax.random.key(0), shape, dtype)


def call(function, *arguments):
    compiled = jax.jit(function)
    return repeat(lambda: jax.block_until_ready(compiled(*arguments)))


def layer_norm(x, weight, bias):
    mean = x.mean(1, keepdims=True)
    variance = jnp.square(x - mean).mean(1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * weight + bias


def register(rows):
    for n in (256, 512, 1024, 2048):
        rows.row(f"sgemm/{n}")(lambda n=n: call(jnp.matmul, randn(n, n), randn(n, n)))
    for name, megabytes, function, operands in (
        ("relu/64MB", 64, jax.nn.relu, 1),
        ("relu/8MB", 8, jax.nn.relu, 1),
        ("add/64MB", 64, jnp.add, 2),
        ("add/8MB", 8, jnp.add, 2),
        ("exp/8MB", 8, jnp.exp, 1),
        ("gelu/8MB", 8, lambda x: jax.nn.gelu(x, approximate=False), 1),
        ("sum/64MB", 64, jnp.sum, 1),
    ):
        rows.row(name)(
            lambda megabytes=megabytes, function=function, operands=operands: call(
                function, *(randn(megabytes * MB // 4) for _ in range(operands))
            )
        )
    rows.row("softmax/8MB")(lambda: call(lambda x: jax.nn.softmax(x, 1), randn(2048, 1024)))
    rows.row("layernorm/8MB")(lambda: call(layer_norm, randn(2048, 1024), randn(1024), randn(1024)))
