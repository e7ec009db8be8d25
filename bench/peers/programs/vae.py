"""A variational autoencoder of MNIST: the twin of vae. The noise is another one, so losses agree only roughly."""
import time
import torch
from torch import nn
from common import plan, report, tensors

the_plan = plan()
latent = the_plan["latent"]
torch.manual_seed(1)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU())
        self.mean = nn.Linear(400, latent)
        self.logVariance = nn.Linear(400, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, 400), nn.ReLU(), nn.Linear(400, 784))

    def forward(self, x):
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.logVariance(h)
        code = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        return self.decoder(code), mean, log_variance


def parts(logits, x, mean, log_variance):
    pixels = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    return pixels, (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2


arrays = tensors("data")
train, test = arrays["trainX"].flatten(1), arrays["testX"].flatten(1)
model = VAE()
model.load_state_dict(tensors("weights"))
optimizer = torch.optim.Adam(model.parameters(), lr=the_plan["lr"])
losses, updates, spent = [], 0, 0.0
for epoch in tensors("orders")["order"].long():
    start = time.perf_counter()
    total = torch.zeros(())
    for order in epoch.split(the_plan["batchSize"]):
        x = train[order]
        logits, mean, log_variance = model(x)
        loss = sum(parts(logits, x, mean, log_variance)) / len(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(x)
        updates += 1
    losses.append(total.item() / len(train))
    spent += time.perf_counter() - start

pixel_sum = code_sum = 0.0
with torch.no_grad():
    for x in test.split(500):
        logits, mean, log_variance = model(x)
        pixels, code = parts(logits, x, mean, log_variance)
        pixel_sum += pixels.item()
        code_sum += code.item()
report([{"name": "vae", "losses": losses, "seconds": spent, "updates": updates,
         "final": {"bound": (pixel_sum + code_sum) / len(test), "divergence": code_sum / len(test)}}])
