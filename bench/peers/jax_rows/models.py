"""Whole training steps with Adam, and the latency of one example. The models are those of bench/models/."""

import functools

import jax
import jax.numpy as jnp
from protocol import repeat

key = jax.random.key(0)


def uniform(shape, fan):
    return jax.random.uniform(key, shape, minval=-1, maxval=1) / fan**0.5


def randn(*shape):
    return jax.random.normal(key, shape)


def integers(high, *shape):
    return jax.random.randint(key, shape, 0, high)


def dense(inputs, outputs):
    return {"w": uniform((inputs, outputs), inputs), "b": uniform((outputs,), inputs)}


def apply(layer, x):
    return x @ layer["w"] + layer["b"]


def cross_entropy(logits, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean()


def adam(params, grads, m, v, step, lr=1e-4, b1=0.9, b2=0.999, eps=1e-8):
    def update(p, g, m, v):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        return p - lr * (m / (1 - b1**step)) / (jnp.sqrt(v / (1 - b2**step)) + eps), m, v

    updated = jax.tree.map(update, params, grads, m, v)
    return jax.tree.transpose(jax.tree.structure(params), jax.tree.structure((0, 0, 0)), updated)


def mlp():
    params = {"hidden": dense(784, 512), "output": dense(512, 10)}
    forward = lambda p, x: apply(p["output"], jax.nn.relu(apply(p["hidden"], x)))  # noqa: E731
    return params, forward, lambda batch: (randn(batch, 784), integers(10, batch))


def conv(params, x):
    dims = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, params["w"], (1, 1), "SAME", dimension_numbers=dims) + params["b"]


def max_pool(x):
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def cnn():
    def kernel(inputs, outputs):
        return {"w": uniform((3, 3, inputs, outputs), 9 * inputs), "b": uniform((outputs,), 9 * inputs)}

    params = {"one": kernel(3, 32), "two": kernel(32, 64), "dense": dense(4096, 64), "output": dense(64, 10)}

    def forward(p, x):
        x = max_pool(jax.nn.relu(conv(p["one"], x)))
        x = max_pool(jax.nn.relu(conv(p["two"], x)))
        return apply(p["output"], jax.nn.relu(apply(p["dense"], x.reshape(x.shape[0], -1))))

    return params, forward, lambda batch: (randn(batch, 32, 32, 3), integers(10, batch))


def lstm():
    params = {
        "embedding": randn(10_000, 128),
        "input": dense(128, 256),
        "state": dense(64, 256),
        "output": dense(64, 2),
    }

    def forward(p, ids):
        # Products with the input are of all steps at once, as the fused kernels of other libraries have them.
        gates = apply(p["input"], p["embedding"][ids]).swapaxes(0, 1)

        def step(carry, gates):
            h, c = carry
            i, f, g, o = jnp.split(gates + apply(p["state"], h), 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        zeros = jnp.zeros((ids.shape[0], 64))
        (h, _), _ = jax.lax.scan(step, (zeros, zeros), gates)
        return apply(p["output"], h)

    return params, forward, lambda batch: (integers(10_000, batch, 200), integers(2, batch))


def gpt(layers=6, width=384, heads=6, length=256, characters=65):
    def norm():
        return {"scale": jnp.ones(width), "shift": jnp.zeros(width)}

    def block():
        return {
            "norm1": norm(),
            "qkv": dense(width, 3 * width),
            "project": dense(width, width),
            "norm2": norm(),
            "up": dense(width, 4 * width),
            "down": dense(4 * width, width),
        }

    params = {
        "tokens": randn(characters, width),
        "positions": randn(length, width),
        "blocks": [block() for _ in range(layers)],
        "norm": norm(),
        "output": dense(width, characters),
    }

    def normalize(p, x):
        mean = x.mean(-1, keepdims=True)
        variance = jnp.square(x - mean).mean(-1, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * p["scale"] + p["shift"]

    def forward(p, ids):
        batch, time = ids.shape
        x = p["tokens"][ids] + p["positions"][:time]
        for b in p["blocks"]:
            split = apply(b["qkv"], normalize(b["norm1"], x)).reshape(batch, time, 3, heads, width // heads)
            attended = jax.nn.dot_product_attention(split[:, :, 0], split[:, :, 1], split[:, :, 2], is_causal=True)
            x = x + apply(b["project"], attended.reshape(batch, time, width))
            h = jax.nn.gelu(apply(b["up"], normalize(b["norm2"], x)), approximate=False)
            x = x + apply(b["down"], h)
        return apply(p["output"], normalize(p["norm"], x)).reshape(batch * time, characters)

    return params, forward, lambda batch: (integers(characters, batch, length), integers(characters, batch * length))


MODELS = {"mlp": (mlp, (8, 32, 128, 512)), "cnn": (cnn, (128,)), "lstm": (lstm, (64,)), "gpt": (gpt, (8,))}


def training(make, batch):
    params, forward, data = make()
    x, y = data(batch)

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(params, m, v, number, x, y):
        grads = jax.grad(lambda p: cross_entropy(forward(p, x), y))(params)
        return adam(params, grads, m, v, number)

    zeros = lambda: jax.tree.map(jnp.zeros_like, params)  # noqa: E731
    # Donated buffers may be of one array only: equal ones of initialisation are copied apart.
    state = [jax.tree.map(jnp.array, params), zeros(), zeros()]
    count = 0

    def run(iterations):
        nonlocal state, count
        for _ in range(iterations):
            count += 1
            state = step(*state, float(count), x, y)
        jax.block_until_ready(state)

    return run


def inference(make):
    params, forward, data = make()
    x, _ = data(1)
    compiled = jax.jit(forward)
    return repeat(lambda: jax.block_until_ready(compiled(params, x)))


def register(rows):
    for name, (make, batches) in MODELS.items():
        for batch in batches:
            rows.row(f"train/{name}/{batch}")(lambda make=make, batch=batch: training(make, batch))
        rows.row(f"infer/{name}/1")(lambda make=make: inference(make))
