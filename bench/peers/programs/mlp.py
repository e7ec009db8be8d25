"""Perceptrons on MNIST: the twin of mnist-mlp, schedules, optimizers and batch-size."""
from torch import nn
from common import train_classifiers


def make_model(run):
    hidden = run["model"]["hidden"]
    return nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Dropout(run["model"]["dropout"]),
                         nn.Linear(hidden, 10))


train_classifiers(make_model)
