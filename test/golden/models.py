"""Writes models.json: what small models of the zoo give, and the norms of their gradients, as PyTorch computes them in float64.

Needs PyTorch; run by hand, the result is committed. The models are those of src/models/*.ts, written down again from the
papers; their states have the names that torchvision's and Hugging Face's have where there are such. Weights and inputs are
values of a formula that both sides compute (trainings.py), so nothing large is stored. A model is one line:

    "lenet": {"state": {"features.0.weight": [6, 1, 5, 5], ...}, "output": [...], "norms": [...]}

`output` has all values of the output in their order, of which `values(900, ...)` makes a number whose gradients the norms are of,
one for each parameter in the order of the state. Modes are those of training, without dropout.
"""

import json
import pathlib

import torch
import torch.nn.functional as F
from torch import nn

here = pathlib.Path(__file__).parent
source = (here / "trainings.py").read_text().split("\nclass MLP")[0]
shared = {"__name__": "shared"}
exec(compile(source, "trainings.py", "exec"), shared)
values, integers, initialize = shared["values"], shared["integers"], shared["initialize"]


def lenet():
    model = nn.Module()
    model.features = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)
    )
    model.classifier = nn.Sequential(
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)
    )
    return model, lambda: model.classifier(model.features(values(901, 3, 1, 28, 28)))


def vgg():
    model = nn.Module()
    layers, channels = [], 3
    for item in (8, "M", 12, 12, "M"):
        if item == "M":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(channels, item, 3, padding=1), nn.BatchNorm2d(item), nn.ReLU()]
            channels = item
    model.features = nn.Sequential(*layers)
    model.classifier = nn.Sequential(
        nn.Linear(48, 20), nn.ReLU(), nn.Dropout(0), nn.Linear(20, 20), nn.ReLU(), nn.Dropout(0), nn.Linear(20, 5)
    )

    def run():
        x = F.adaptive_avg_pool2d(model.features(values(902, 3, 3, 16, 16)), 2)
        return model.classifier(x.flatten(1))

    return model, run


def conv_norm(inputs, outputs, size, stride=1, groups=1):
    conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    return conv, nn.BatchNorm2d(outputs)


class Residual(nn.Module):
    def __init__(self, inputs, width, stride, bottleneck):
        super().__init__()
        outputs = 4 * width if bottleneck else width
        if bottleneck:
            self.conv1, self.bn1 = conv_norm(inputs, width, 1)
            self.conv2, self.bn2 = conv_norm(width, width, 3, stride)
            self.conv3, self.bn3 = conv_norm(width, outputs, 1)
        else:
            self.conv1, self.bn1 = conv_norm(inputs, width, 3, stride)
            self.conv2, self.bn2 = conv_norm(width, width, 3)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(*conv_norm(inputs, outputs, 1, stride))

    def forward(self, x):
        around = x if self.downsample is None else self.downsample(x)
        x = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if hasattr(self, "conv3"):
            x = self.bn3(self.conv3(F.relu(x)))
        return F.relu(x + around)


def resnet(width, blocks, bottleneck, stem):
    model = nn.Module()
    if stem == "cifar":
        model.conv1, model.bn1 = conv_norm(3, width, 3)
    else:
        model.conv1, model.bn1 = conv_norm(3, width, 7, 2)
    channels = width
    for i, count in enumerate(blocks):
        stage = []
        for k in range(count):
            stage.append(Residual(channels, width * 2**i, 2 if k == 0 and i > 0 else 1, bottleneck))
            channels = width * 2**i * (4 if bottleneck else 1)
        setattr(model, f"layer{i + 1}", nn.Sequential(*stage))
    model.fc = nn.Linear(channels, 5)

    def run():
        x = F.relu(model.bn1(model.conv1(values(903, 4, 3, 32, 32))))
        if stem == "imagenet":
            x = F.max_pool2d(x, 3, 2, 1)
        for i in range(4):
            x = getattr(model, f"layer{i + 1}")(x)
        return model.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))

    return model, run


def resnet_basic():
    return resnet(4, [2, 1, 1, 1], False, "cifar")


def resnet_bottleneck():
    return resnet(4, [1, 2, 1, 1], True, "imagenet")


class Inverted(nn.Module):
    def __init__(self, inputs, outputs, stride, expand):
        super().__init__()
        inner = inputs * expand
        layers = [] if expand == 1 else [nn.Sequential(*conv_norm(inputs, inner, 1), nn.ReLU6())]
        layers.append(nn.Sequential(*conv_norm(inner, inner, 3, stride, inner), nn.ReLU6()))
        self.conv = nn.Sequential(*layers, *conv_norm(inner, outputs, 1))
        self.around = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.conv(x) if self.around else self.conv(x)


def mobilenet():
    # Table 2 with a width multiplier of 0.1: channels are rounded to 8 and 32.
    model = nn.Module()
    features, channels = [nn.Sequential(*conv_norm(3, 8, 3, 2), nn.ReLU6())], 8
    for expand, width, count, stride in (
        (1, 8, 1, 1), (6, 8, 2, 2), (6, 8, 3, 2), (6, 8, 4, 2), (6, 16, 3, 1), (6, 16, 3, 2), (6, 32, 1, 1),
    ):  # fmt: skip
        for k in range(count):
            features.append(Inverted(channels, width, stride if k == 0 else 1, expand))
            channels = width
    features.append(nn.Sequential(*conv_norm(channels, 1280, 1), nn.ReLU6()))
    model.features = nn.Sequential(*features)
    model.classifier = nn.Sequential(nn.Dropout(0), nn.Linear(1280, 5))
    return model, lambda: model.classifier(model.features(values(904, 4, 3, 64, 64)).mean([2, 3]))


class ViTBlock(nn.Module):
    def __init__(self, width, heads, inner):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(width, inner), nn.GELU(), nn.Dropout(0), nn.Linear(inner, width), nn.Dropout(0)
        )

    def forward(self, x):
        h = self.ln_1(x)
        x = x + self.self_attention(h, h, h, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class ViTEncoder(nn.Module):
    def __init__(self, length, layers, width, heads, inner):
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.zeros(1, length, width))
        self.layers = nn.Sequential()
        for i in range(layers):
            self.layers.add_module(f"encoder_layer_{i}", ViTBlock(width, heads, inner))
        self.ln = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x):
        return self.ln(self.layers(x + self.pos_embedding))


def vit():
    model = nn.Module()
    model.class_token = nn.Parameter(torch.zeros(1, 1, 16))
    model.conv_proj = nn.Conv2d(3, 16, 4, 4)
    model.encoder = ViTEncoder(17, 2, 16, 4, 24)
    model.heads = nn.Sequential()
    model.heads.add_module("head", nn.Linear(16, 5))

    def run():
        x = model.conv_proj(values(905, 3, 3, 16, 16)).flatten(2).transpose(1, 2)
        x = model.encoder(torch.cat([model.class_token.expand(3, -1, -1), x], 1))
        return model.heads(x[:, 0])

    return model, run


def recurrent(kind, directions, lengths):
    model = nn.Module()
    model.embedding = nn.Embedding(20, 6)
    model.rnn = kind(6, 5, 2, batch_first=True, bidirectional=directions == 2)
    model.output = nn.Linear(5 * directions, 3)

    def run():
        x = model.embedding(integers(906, 20, 4, 7))
        if lengths is not None:
            x = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        _, h = model.rnn(x)
        h = h[0] if isinstance(h, tuple) else h
        return model.output(torch.cat([h[-2], h[-1]], 1) if directions == 2 else h[-1])

    return model, run


def rnn_classifier():
    return recurrent(nn.RNN, 1, None)


def lstm_classifier():
    return recurrent(nn.LSTM, 2, [7, 2, 5, 1])


def gru_classifier():
    return recurrent(nn.GRU, 1, [3, 7, 1, 6])


def transformer_classifier():
    model = nn.Module()
    model.cls = nn.Parameter(torch.zeros(1, 1, 8))
    model.embedding = nn.Embedding(20, 8)
    model.positions = nn.Module()
    model.positions.weight = nn.Parameter(torch.zeros(11, 8))
    model.layers = nn.ModuleList(
        nn.TransformerEncoderLayer(8, 2, 12, dropout=0, batch_first=True, norm_first=True) for _ in range(2)
    )
    model.norm = nn.LayerNorm(8)
    model.output = nn.Linear(8, 3)

    def run():
        x = model.embedding(integers(907, 20, 4, 7)) * 8**0.5
        x = torch.cat([model.cls.expand(4, 1, 8), x], 1) + model.positions.weight[:8]
        away = torch.arange(8) >= torch.tensor([7, 2, 5, 1])[:, None] + 1
        for layer in model.layers:
            x = layer(x, src_key_padding_mask=away)
        return model.output(model.norm(x)[:, 0])

    return model, run


class Projection(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


def gpt():
    width, heads = 16, 4
    model = nn.Module()
    body = model.transformer = nn.Module()
    body.wte, body.wpe = nn.Embedding(13, width), nn.Embedding(9, width)
    body.h = nn.ModuleList()
    for _ in range(2):
        block = nn.Module()
        block.ln_1 = nn.LayerNorm(width)
        block.attn = nn.Module()
        block.attn.c_attn, block.attn.c_proj = Projection(width, 3 * width), Projection(width, width)
        block.ln_2 = nn.LayerNorm(width)
        block.mlp = nn.Module()
        block.mlp.c_fc, block.mlp.c_proj = Projection(width, 4 * width), Projection(4 * width, width)
        body.h.append(block)
    body.ln_f = nn.LayerNorm(width)

    def run():
        ids = integers(908, 13, 2, 9)
        x = body.wte(ids) + body.wpe(torch.arange(9))
        for block in body.h:
            q, k, v = block.attn.c_attn(block.ln_1(x)).split(width, 2)
            q, k, v = (t.reshape(2, 9, heads, width // heads).transpose(1, 2) for t in (q, k, v))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + block.attn.c_proj(y.transpose(1, 2).reshape(2, 9, width))
            x = x + block.mlp.c_proj(F.gelu(block.mlp.c_fc(block.ln_2(x)), approximate="tanh"))
        return body.ln_f(x) @ body.wte.weight.T

    return model, run


def seq2seq(kind):
    model = nn.Module()
    model.embedding = nn.Embedding(11, 6)
    model.encoder = nn.GRU(6, 5, batch_first=True, bidirectional=True)
    model.bridge = nn.Linear(10, 5)
    decoder = model.decoder = nn.Module()
    decoder.embedding = nn.Embedding(9, 6)
    if kind == "bahdanau":
        decoder.query = nn.Linear(5, 5, bias=False)
        decoder.key = nn.Linear(10, 5)
        decoder.score = nn.Linear(5, 1, bias=False)
        decoder.cell = nn.GRUCell(16, 5)
        decoder.output = nn.Linear(21, 9)
    else:
        decoder.key = nn.Linear(10, 5, bias=False)
        decoder.gru = nn.GRU(6, 5, batch_first=True)
        decoder.combine = nn.Linear(15, 5, bias=False)
        decoder.output = nn.Linear(5, 9)

    def run():
        lengths = torch.tensor([6, 2, 4])
        x = model.embedding(integers(909, 11, 3, 6))
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        packed, last = model.encoder(packed)
        states, _ = nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
        h = torch.tanh(model.bridge(torch.cat([last[0], last[1]], 1)))
        away = torch.arange(6) >= lengths[:, None]
        y = decoder.embedding(integers(910, 9, 3, 5)[:, :-1])
        if kind == "luong":
            out, _ = decoder.gru(y, h[None])
            scores = out @ decoder.key(states).transpose(1, 2)
            weights = scores.masked_fill(away[:, None], float("-inf")).softmax(2)
            return decoder.output(torch.tanh(decoder.combine(torch.cat([weights @ states, out], 2))))
        results = []
        for t in range(4):
            scores = decoder.score(torch.tanh(decoder.query(h)[:, None] + decoder.key(states)))[:, :, 0]
            weights = scores.masked_fill(away, float("-inf")).softmax(1)
            context = (weights[:, None] @ states)[:, 0]
            h = decoder.cell(torch.cat([y[:, t], context], 1), h)
            results.append(decoder.output(torch.cat([h, context, y[:, t]], 1)))
        return torch.stack(results, 1)

    return model, run


def seq2seq_bahdanau():
    return seq2seq("bahdanau")


def seq2seq_luong():
    return seq2seq("luong")


def conv_vae():
    model = nn.Module()
    model.encoder = nn.Sequential(
        nn.Conv2d(1, 3, 4, 2, 1), nn.ReLU(), nn.Conv2d(3, 4, 4, 2, 1), nn.ReLU(), nn.Flatten()
    )
    model.mean, model.logVariance = nn.Linear(16, 3), nn.Linear(16, 3)
    model.decoder = nn.Sequential(
        nn.Linear(3, 16), nn.ReLU(), nn.Unflatten(1, (4, 2, 2)),
        nn.ConvTranspose2d(4, 3, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(3, 1, 4, 2, 1),
    )  # fmt: skip

    def run():
        h = model.encoder(values(911, 2, 1, 8, 8))
        return model.decoder(model.mean(h) + values(912, 2, 3) * (model.logVariance(h) / 2).exp())

    return model, run


def dcgan():
    # The discriminator's logits of what the generator makes.
    model = nn.Module()
    model.generator, model.discriminator = nn.Module(), nn.Module()
    model.generator.main = nn.Sequential(
        nn.ConvTranspose2d(6, 8, 7, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.ConvTranspose2d(8, 4, 4, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
        nn.ConvTranspose2d(4, 1, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    model.discriminator.main = nn.Sequential(
        nn.Conv2d(1, 4, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
        nn.Conv2d(4, 8, 4, 2, 1, bias=False), nn.BatchNorm2d(8), nn.LeakyReLU(0.2),
        nn.Conv2d(8, 1, 7, bias=False),
    )  # fmt: skip
    return model, lambda: model.discriminator.main(model.generator.main(values(913, 5, 6, 1, 1))).reshape(5)


def wgan_penalty():
    # The penalty itself: its gradients are second derivatives.
    model = nn.Module()
    model.main = nn.Sequential(
        nn.Conv2d(1, 4, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(4, 8, 4, 2, 1), nn.GroupNorm(1, 8), nn.LeakyReLU(0.2),
        nn.Conv2d(8, 1, 7),
    )  # fmt: skip
    model.main[2] = nn.Conv2d(4, 8, 4, 2, 1, bias=False)
    model.main[0] = nn.Conv2d(1, 4, 4, 2, 1, bias=False)
    model.main[5] = nn.Conv2d(8, 1, 7, bias=False)

    def run():
        real, fake, mix = values(914, 3, 1, 28, 28), values(915, 3, 1, 28, 28), values(916, 3, 1, 1, 1) / 2 + 0.5
        x = (fake + (real - fake) * mix).requires_grad_()
        (g,) = torch.autograd.grad(model.main(x).sum(), x, create_graph=True)
        return 10 * (g.flatten(1).norm(dim=1) - 1).square().mean()[None]

    return model, run


torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
lines = []
makers = (
    lenet, vgg, resnet_basic, resnet_bottleneck, mobilenet, vit, rnn_classifier, lstm_classifier, gru_classifier,
    transformer_classifier, gpt, seq2seq_bahdanau, seq2seq_luong, conv_vae, dcgan, wgan_penalty,
)  # fmt: skip
for make in makers:
    model, run = make()
    with torch.no_grad():
        state = initialize(model)
    output = run()
    (output * values(900, *output.shape)).sum().backward()
    norms = [0.0 if p.grad is None else p.grad.norm().item() for p in model.parameters()]
    shown = lambda numbers: [float(f"{number:.12g}") for number in numbers]
    golden = {"state": state, "output": shown(output.flatten().tolist()), "norms": shown(norms)}
    lines.append(f"  {json.dumps(make.__name__)}: {json.dumps(golden, separators=(',', ':'))}")
    print(f"{make.__name__}: {output.numel()} numbers, {len(norms)} parameters, largest {output.abs().max():.3f}")

out = pathlib.Path(__file__).with_suffix(".json")
out.write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(f"{out.stat().st_size} bytes, PyTorch {torch.__version__}")
