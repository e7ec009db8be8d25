"""Writes rnn.json, the goldens of recurrent layers. Needs PyTorch; run by hand, the result is committed."""

import torch
from torch.func import functional_call
from torch.nn.utils.rnn import PackedSequence

from case import X, case, f64, write

KINDS = {
    "lstm": (torch.nn.LSTM, {}, 4), "gru": (torch.nn.GRU, {}, 3), "rnn": (torch.nn.RNN, {}, 1),
    "relu": (torch.nn.RNN, {"nonlinearity": "relu"}, 1),
}


def U(*shape):
    return X(*shape, low=-1, high=1)


def one_direction(kind, sizes, reverse, bias):
    """The op: rows of all steps, states, weights. Backwards: the second half of a layer in both directions."""
    make, options, _ = KINDS[kind]

    def run(x, *rest):
        states = rest[: 2 if kind == "lstm" else 1]
        weights = rest[len(states):]
        H = states[0].shape[1]
        module = make(x.shape[1], H, bias=bias, bidirectional=reverse, dtype=f64, **options)
        names = [name for name, _ in module.named_parameters()]
        values = [*[torch.zeros_like(w) for w in weights], *weights] if reverse else weights
        hx = [torch.stack([torch.zeros_like(s), s]) if reverse else s[None] for s in states]
        packed = PackedSequence(x, torch.tensor(sizes))
        out, last = functional_call(module, dict(zip(names, values)), (packed, tuple(hx) if kind == "lstm" else hx[0]))
        last = last if kind == "lstm" else [last]
        return [out.data[:, -H:], *[s[-1] for s in last]]

    return run


for kind, (_, _, gates) in KINDS.items():
    op = "rnnSequence" if kind == "relu" else f"{kind}Sequence"
    prefix = "relu" if kind == "relu" else ""
    for name, sizes, reverse, bias, I, H in [
        ("plain", [3, 3, 3], False, True, 3, 9),
        ("reverse", [2, 2, 2], True, True, 3, 2),
        ("packed", [4, 3, 3, 1], False, True, 2, 3),
        ("packedReverse", [4, 3, 3, 1], True, True, 2, 3),
        ("noBias", [1, 1], False, False, 1, 1),
    ]:
        if prefix and name != "packed":
            continue
        states = [U(sizes[0], H)] * (2 if kind == "lstm" else 1)
        weights = [U(gates * H, I), U(gates * H, H), *([U(gates * H), U(gates * H)] if bias else [])]
        case(f"{op}/{prefix or name}", one_direction(kind, sizes, reverse, bias), U(sum(sizes), I), *states, *weights)


def layer(make, states, *args, **options):
    """A module: x, states, then parameters in the order of the state dict, which get no gradients here."""
    module = make(*args, dtype=f64, **options)
    names = [name for name, _ in module.named_parameters()]

    def run(x, *rest):
        hx, values = rest[:states], [v.detach() for v in rest[states:]]
        given = () if states == 0 else (tuple(hx),) if states == 2 else (hx[0],)
        found = functional_call(module, dict(zip(names, values)), (x, *given))
        flat = []

        def visit(value):
            if isinstance(value, torch.Tensor):
                flat.append(value)
            else:
                for item in value:
                    visit(item)

        visit(found)
        return flat

    return run, [U(*p.shape) for p in module.parameters()]


def module_case(key, make, x, hx, *args, **options):
    run, parameters = layer(make, len(hx), *args, **options)
    case(key, run, x, *hx, *parameters)


for name, make, n in [("LSTM", torch.nn.LSTM, 2), ("GRU", torch.nn.GRU, 1), ("RNN", torch.nn.RNN, 1)]:
    module_case(f"nn.{name}/plain", make, U(4, 2, 3), [], 3, 2)
    module_case(f"nn.{name}/deep", make, U(2, 3, 2), [U(4, 2, 2)] * n, 2, 2, num_layers=2, bidirectional=True, batch_first=True)
    module_case(f"nn.{name}/unbatched", make, U(3, 2), [U(2, 3)] * n, 2, 3, num_layers=2, bias=False)
    cell = getattr(torch.nn, f"{name}Cell")
    module_case(f"nn.{name}Cell/plain", cell, U(3, 2), [U(3, 4)] * n, 2, 4)
    module_case(f"nn.{name}Cell/zero", cell, U(2), [], 2, 3, bias=False)
module_case("nn.RNN/relu", torch.nn.RNN, U(3, 2, 2), [U(1, 2, 3)], 2, 3, nonlinearity="relu")
module_case("nn.RNNCell/relu", torch.nn.RNNCell, U(2, 3), [U(2, 3)], 3, 3, nonlinearity="relu")

write(__file__)
