"""An LSTM on IMDB: the twin of imdb-lstm."""
from torch import nn
from common import plan, train_classifiers

sizes = plan()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(sizes["vocabulary"], sizes["embedding"])
        self.rnn = nn.LSTM(sizes["embedding"], sizes["hidden"], batch_first=True)
        self.output = nn.Linear(sizes["hidden"], 1)

    def forward(self, words):
        _, (h, _) = self.rnn(self.embedding(words))
        return self.output(h[-1])[:, 0]


train_classifiers(lambda run: Net(), loss_of=nn.functional.binary_cross_entropy_with_logits,
                  right=lambda logits, y: ((logits > 0) == (y > 0.5)).sum())
