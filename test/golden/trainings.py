"""Writes trainings.json: the loss curves of five small trainings, as PyTorch computes them in float64.

Needs PyTorch; run by hand, the result is committed. The models, data and loops are those of test/trainings/*.ts. Nothing
large is stored: weights, inputs and noise are the values of a formula, computed on both sides. A training is one line:

    "mlp": {"state": {"hidden.weight": [32, 12], ...}, "losses": [...], "float32": 3e-7}

`state` has the names and shapes of PyTorch's state dict in its order, `float32` is the largest relative difference between
the losses and those that PyTorch itself computes in float32.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import SGD, Adam, AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, OneCycleLR, SequentialLR

STEPS = 20


def numbers(seed, count):
    """Integers from 0 to 10006 without a visible pattern, all exact in float64."""
    steps = range(1000 * seed, 1000 * seed + count)
    return [(7 * j * j + 13 * j) % 10007 for j in steps]


def values(seed, *shape):
    """Floats from -1 to 1."""
    return torch.tensor([n / 5003 - 1 for n in numbers(seed, math.prod(shape))], dtype=torch.float64).reshape(shape)


def integers(seed, limit, *shape):
    """Integers from 0 to below a limit."""
    return torch.tensor([n % limit for n in numbers(seed, math.prod(shape))]).reshape(shape)


def initialize(model):
    """Weights as Xavier would scale them, scales near 1, biases near 0; buffers as they are."""
    learned = dict(model.named_parameters())
    state = model.state_dict()
    for position, (name, tensor) in enumerate(state.items()):
        if name not in learned:
            continue
        uniform = values(position, *tensor.shape)
        if tensor.ndim > 1:
            fans = (tensor.shape[0] + tensor.shape[1]) * math.prod(tensor.shape[2:])
            tensor.copy_(uniform * math.sqrt(6 / fans))
        else:
            tensor.copy_(uniform * 0.1 + (1 if name.endswith("weight") else 0))
    return {name: list(tensor.shape) for name, tensor in state.items()}


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(12, 32)
        self.middle = nn.Linear(32, 16)
        self.output = nn.Linear(16, 5)

    def forward(self, x):
        return self.output(self.middle(self.hidden(x).relu()).relu())


def mlp():
    model = MLP()
    x, labels = values(50, 64, 12), integers(51, 5, 64)
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)

    def step(_):
        loss = F.cross_entropy(model(x.to(torch.get_default_dtype())), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return model, step


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(16)
        self.output = nn.Linear(16 * 3 * 3, 4)

    def forward(self, x):
        small = F.max_pool2d(self.norm1(self.conv1(x)).relu(), 2)
        smaller = F.max_pool2d(self.norm2(self.conv2(small)).relu(), 2)
        return self.output(smaller.flatten(1))


def cnn():
    model = CNN()
    x, labels = values(60, 16, 1, 12, 12), integers(63, 4, 16)
    optimizer = AdamW(model.parameters(), weight_decay=0.05)
    schedule = OneCycleLR(optimizer, 0.01, total_steps=STEPS)

    def step(_):
        loss = F.cross_entropy(model(x.to(torch.get_default_dtype())), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        return loss

    return model, step


class SequenceClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 8, padding_idx=0)
        self.lstm = nn.LSTM(8, 12, num_layers=2, bidirectional=True, batch_first=True)
        self.output = nn.Linear(24, 3)

    def forward(self, words, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(words), lengths, batch_first=True, enforce_sorted=False)
        _, (h, _) = self.lstm(packed)
        return self.output(torch.cat([h[-2], h[-1]], 1))


def lstm():
    model = SequenceClassifier()
    lengths = [7, 4, 9, 2, 9, 5, 1, 8]
    places = torch.arange(9)
    words = torch.where(places < torch.tensor(lengths)[:, None], integers(70, 19, 8, 9) + 1, 0)
    labels = integers(71, 3, 8)
    optimizer = Adam(model.parameters(), lr=0.01)

    def step(_):
        loss = F.cross_entropy(model(words, torch.tensor(lengths)), labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        return loss

    return model, step


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        h = self.norm1(x)
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype)
        x = x + self.attention(h, h, h, attn_mask=mask, is_causal=True, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(16, 32)
        self.positions = nn.Embedding(12, 32)
        self.blocks = nn.ModuleList([Block(32, 4), Block(32, 4)])
        self.norm = nn.LayerNorm(32)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.tokens.weight)


def gpt():
    model = GPT()
    text = integers(80, 16, 4, 13)
    inputs, targets = text[:, :-1], text[:, 1:]
    optimizer = AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1)
    schedule = SequentialLR(optimizer, [LinearLR(optimizer, 0.1, total_iters=5), CosineAnnealingLR(optimizer, 15)], [5])

    def step(_):
        loss = F.cross_entropy(model(inputs).reshape(-1, 16), targets.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        return loss

    return model, step


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(24, 32), nn.ReLU())
        self.mean = nn.Linear(32, 4)
        self.log_variance = nn.Linear(32, 4)
        self.decoder = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 24))

    def forward(self, x, noise):
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        return self.decoder(mean + noise * (log_variance / 2).exp()), mean, log_variance


def vae():
    model = VAE()
    x = integers(90, 2, 32, 24)
    optimizer = Adam(model.parameters(), lr=0.01)

    def step(number):
        dtype = torch.get_default_dtype()
        images, noise = x.to(dtype), values(91 + number, 32, 4).to(dtype) * 1.7
        logits, mean, log_variance = model(images, noise)
        reconstruction = F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2
        loss = (reconstruction + divergence) / 32
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return model, step


def train(make, dtype):
    torch.set_default_dtype(dtype)
    model, step = make()
    state = initialize(model)
    return state, [step(number).item() for number in range(STEPS)]


torch.set_num_threads(1)
lines = []
for make in (mlp, cnn, lstm, gpt, vae):
    state, losses = train(make, torch.float64)
    _, single = train(make, torch.float32)
    difference = max(abs(a - b) / abs(b) for a, b in zip(single, losses))
    golden = {"state": state, "losses": losses, "float32": float(f"{difference:.1e}")}
    lines.append(f"  {json.dumps(make.__name__)}: {json.dumps(golden, separators=(',', ':'))}")
    print(f"{make.__name__}: {losses[0]:.4f} to {losses[-1]:.4f}, float32 differs by {difference:.1e}")

out = pathlib.Path(__file__).with_suffix(".json")
out.write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(f"{out.stat().st_size} bytes, PyTorch {torch.__version__}")
