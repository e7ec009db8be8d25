"""A convolutional network on CIFAR-10: the twin of cifar-cnn."""
import torch
from torch import nn
from common import plan, train_classifiers

mean, std = (torch.tensor(plan()[key]).reshape(1, 3, 1, 1) for key in ("mean", "std"))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                                      nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(4096, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, x):
        return self.classifier(self.features(x))


train_classifiers(lambda run: Net(), prepare=lambda x: (x.float() / 255 - mean) / std)
