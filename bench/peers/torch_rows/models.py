"""Whole training steps, and the latency of one example. The models are those of bench/models/."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from protocol import repeat, repeat_waiting

# The faster of the two for convolutions.
LAYOUT = torch.channels_last


class Subject:
    """A model, a step of training and an example."""

    def __init__(self, model, train, example):
        self.model = model
        self.train = train
        self.example = example


def adam(model, **options):
    return torch.optim.Adam(model.parameters(), fused=True, **options)


def with_adam(model, loss_of, *inputs):
    """A step that lowers a loss."""
    optimizer = adam(model, lr=1e-4)

    def step():
        loss = loss_of(*inputs)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def classifier(compiled, model, x, y, example):
    loss_of = compiled(lambda x, y: F.cross_entropy(model(x).flatten(0, -2), y))
    return Subject(model, with_adam(model, loss_of, x, y), example)


def images(batch):
    return torch.randn(batch, 3, 32, 32).to(memory_format=LAYOUT)


def mlp(batch, compiled):
    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))
    return classifier(compiled, model, torch.randn(batch, 784), torch.randint(0, 10, (batch,)), torch.randn(1, 784))


def cnn(batch, compiled):
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 8 * 8, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    ).to(memory_format=LAYOUT)
    return classifier(compiled, model, images(batch), torch.randint(0, 10, (batch,)), images(1))


class Texts(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10_000, 128)
        self.lstm = nn.LSTM(128, 64, batch_first=True)
        self.output = nn.Linear(64, 2)

    def forward(self, ids):
        _, (h, _) = self.lstm(self.embedding(ids))
        return self.output(h[0])


def lstm(batch, compiled):
    ids, one = torch.randint(0, 10_000, (batch, 200)), torch.randint(0, 10_000, (1, 200))
    return classifier(compiled, Texts(), ids, torch.randint(0, 2, (batch,)), one)


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(h)) + self.shortcut(x))


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        blocks = []
        for inputs, outputs in ((64, 64), (64, 128), (128, 256), (256, 512)):
            blocks += [
                ResidualBlock(inputs, outputs, 1 if inputs == outputs else 2),
                ResidualBlock(outputs, outputs, 1),
            ]
        self.blocks = nn.Sequential(*blocks)
        self.output = nn.Linear(512, 10)

    def forward(self, x):
        return self.output(self.blocks(F.relu(self.bn1(self.conv1(x)))).mean((2, 3)))


def resnet18(batch, compiled):
    model = ResNet18().to(memory_format=LAYOUT)
    return classifier(compiled, model, images(batch), torch.randint(0, 10, (batch,)), images(1))


class TransformerBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x):
        batch, time, width = x.shape
        split = self.qkv(self.norm1(x)).view(batch, time, 3, self.heads, width // self.heads)
        q, k, v = (part.transpose(1, 2) for part in split.unbind(2))
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.project(attended.transpose(1, 2).reshape(batch, time, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self, layers=6, width=384, heads=6, length=256, characters=65):
        super().__init__()
        self.tokens = nn.Embedding(characters, width)
        self.positions = nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(TransformerBlock(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, characters)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        return self.output(self.norm(self.blocks(x)))


def gpt(batch, compiled):
    ids, one = torch.randint(0, 65, (batch, 256)), torch.randint(0, 65, (1, 256))
    return classifier(compiled, GPT(), ids, torch.randint(0, 65, (batch * 256,)), one)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU())
        self.mean = nn.Linear(400, 20)
        self.log_variance = nn.Linear(400, 20)
        self.decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))

    def forward(self, x):
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        return self.decoder(mean + torch.randn_like(mean) * (0.5 * log_variance).exp()), mean, log_variance


def vae(batch, compiled):
    model = VAE()

    @compiled
    def loss_of(x):
        logits, mean, log_variance = model(x)
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        return reconstruction + 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()

    return Subject(model, with_adam(model, loss_of, torch.rand(batch, 784)), torch.rand(1, 784))


def generator(noise=100, base=64):
    return nn.Sequential(
        nn.ConvTranspose2d(noise, 4 * base, 4, bias=False),
        nn.BatchNorm2d(4 * base),
        nn.ReLU(),
        nn.ConvTranspose2d(4 * base, 2 * base, 4, 2, 1, bias=False),
        nn.BatchNorm2d(2 * base),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * base, base, 4, 2, 1, bias=False),
        nn.BatchNorm2d(base),
        nn.ReLU(),
        nn.ConvTranspose2d(base, 3, 4, 2, 1, bias=False),
        nn.Tanh(),
    )


def discriminator(base=64):
    return nn.Sequential(
        nn.Conv2d(3, base, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2),
        nn.Conv2d(base, 2 * base, 4, 2, 1, bias=False),
        nn.BatchNorm2d(2 * base),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * base, 4 * base, 4, 2, 1, bias=False),
        nn.BatchNorm2d(4 * base),
        nn.LeakyReLU(0.2),
        nn.Conv2d(4 * base, 1, 4, bias=False),
    )


def dcgan(batch, compiled):
    plain = generator().to(memory_format=LAYOUT)
    generate, judge = compiled(plain), compiled(discriminator().to(memory_format=LAYOUT))
    adam_g = adam(generate, lr=2e-4, betas=(0.5, 0.999))
    adam_d = adam(judge, lr=2e-4, betas=(0.5, 0.999))
    real = images(batch)
    loss = F.binary_cross_entropy_with_logits

    def step():
        fake = generate(torch.randn(batch, 100, 1, 1))
        adam_d.zero_grad(set_to_none=True)
        of_real = judge(real)
        loss(of_real, torch.ones_like(of_real)).backward()
        of_fake = judge(fake.detach())
        loss(of_fake, torch.zeros_like(of_fake)).backward()
        adam_d.step()
        adam_g.zero_grad(set_to_none=True)
        again = judge(fake)
        loss(again, torch.ones_like(again)).backward()
        adam_g.step()

    return Subject(plain, step, torch.randn(1, 100, 1, 1))


MODELS = {
    "mlp": (mlp, (8, 32, 128, 512)),
    "cnn": (cnn, (128,)),
    "lstm": (lstm, (64,)),
    "resnet18": (resnet18, (32,)),
    "gpt": (gpt, (8,)),
    "vae": (vae, (128,)),
    "dcgan": (dcgan, (128,)),
}


def register(rows, compiled):
    compile_or_not = compiled or (lambda function: function)

    def training(name, make, batch):
        @rows.row(f"train/{name}/{batch}")
        def prepare():
            return repeat(make(batch, compile_or_not).train)

    def inference(name, make):
        @rows.row(f"infer/{name}/1")
        def prepare():
            subject = make(1, lambda function: function)
            model = compile_or_not(subject.model.eval())

            def work():
                with torch.inference_mode():
                    model(subject.example)

            return repeat_waiting(work)

    for name, (make, batches) in MODELS.items():
        for batch in batches:
            training(name, make, batch)
        inference(name, make)
