"""Whole training steps, and the latency of one example. The models are those of bench/models/."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from protocol import repeat


class Subject:
    """A model, the loss of a batch and an example."""

    def __init__(self, model, loss, inputs, example):
        self.model = model
        self.loss = loss  # of (model, *inputs)
        self.inputs = inputs
        self.example = example


def classifier(model, x, y, example):
    return Subject(model, lambda model, x, y: F.cross_entropy(model(x), y), (x, y), example)


def mlp(batch):
    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))
    return classifier(model, torch.randn(batch, 784), torch.randint(0, 10, (batch,)), torch.randn(1, 784))


MODELS = {"mlp": (mlp, (8, 32, 128, 512))}


def register(rows, compiled):
    def training(name, make, batch):
        @rows.row(f"train/{name}/{batch}")
        def prepare():
            subject = make(batch)
            model, inputs = subject.model, subject.inputs
            loss_of = lambda *inputs: subject.loss(model, *inputs)  # noqa: E731
            if compiled is not None:
                loss_of = compiled(loss_of)
            optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

            def step():
                loss = loss_of(*inputs)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()

            return repeat(step)

    def inference(name, make):
        @rows.row(f"infer/{name}/1")
        def prepare():
            subject = make(1)
            subject.model.eval()
            model = subject.model if compiled is None else compiled(subject.model)

            def work():
                with torch.inference_mode():
                    model(subject.example)

            return repeat(work)

    for name, (make, batches) in MODELS.items():
        for batch in batches:
            training(name, make, batch)
        inference(name, make)
