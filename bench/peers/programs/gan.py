"""DCGAN and WGAN-GP on MNIST: the twin of gan. Noise is another one, so losses and scores agree only roughly."""
import time
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, softmax
from common import plan, report, tensors

torch.manual_seed(1)


class Net(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, x):
        return self.main(x)


def make_generator(base, latent):
    return Net(nn.ConvTranspose2d(latent, 2 * base, 7, bias=False), nn.BatchNorm2d(2 * base), nn.ReLU(),
               nn.ConvTranspose2d(2 * base, base, 4, 2, 1, bias=False), nn.BatchNorm2d(base), nn.ReLU(),
               nn.ConvTranspose2d(base, 1, 4, 2, 1, bias=False), nn.Tanh())


def make_adversary(base, norm):
    between = [nn.BatchNorm2d(2 * base)] if norm else []
    return Net(nn.Conv2d(1, base, 4, 2, 1, bias=not norm), nn.LeakyReLU(0.2),
               nn.Conv2d(base, 2 * base, 4, 2, 1, bias=not norm), *between, nn.LeakyReLU(0.2),
               nn.Conv2d(2 * base, 1, 7, bias=not norm))


class Gan(nn.Module):
    def __init__(self, run):
        super().__init__()
        self.generator = make_generator(run["channels"], run["latent"])
        dcgan = run["name"] == "dcgan"
        setattr(self, "discriminator" if dcgan else "critic", make_adversary(run["channels"], dcgan))


train_x = tensors("data")["trainX"]
judge = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
judge.load_state_dict({name.removeprefix("layers."): value for name, value in tensors("judge").items()})


def endless(orders, batch_size):
    while True:
        for order in orders:
            for i in range(0, len(order) - batch_size + 1, batch_size):
                yield train_x[order[i:i + batch_size]] * 2 - 1


def dcgan_step(gan, run):
    adam = dict(lr=run["lr"], betas=(0.5, 0.999))
    adam_g = torch.optim.Adam(gan.generator.parameters(), **adam)
    adam_d = torch.optim.Adam(gan.discriminator.parameters(), **adam)

    def step(batches):
        real = next(batches)
        fake = gan.generator(torch.randn(len(real), run["latent"], 1, 1))
        adam_d.zero_grad()
        of_real, of_fake = gan.discriminator(real), gan.discriminator(fake.detach())
        loss_d = (binary_cross_entropy_with_logits(of_real, torch.ones_like(of_real))
                  + binary_cross_entropy_with_logits(of_fake, torch.zeros_like(of_fake)))
        loss_d.backward()
        adam_d.step()
        adam_g.zero_grad()
        again = gan.discriminator(fake)
        binary_cross_entropy_with_logits(again, torch.ones_like(again)).backward()
        adam_g.step()
        return loss_d.detach()

    return step


def wgan_step(gan, run):
    adam = dict(lr=run["lr"], betas=(0.0, 0.9))
    adam_g = torch.optim.Adam(gan.generator.parameters(), **adam)
    adam_c = torch.optim.Adam(gan.critic.parameters(), **adam)

    def step(batches):
        for _ in range(run["criticSteps"]):
            real = next(batches)
            with torch.no_grad():
                fake = gan.generator(torch.randn(len(real), run["latent"], 1, 1))
            adam_c.zero_grad()
            distance = gan.critic(real).mean() - gan.critic(fake).mean()
            between = (fake + (real - fake) * torch.rand(len(real), 1, 1, 1)).requires_grad_()
            (slope,) = torch.autograd.grad(gan.critic(between).sum(), between, create_graph=True)
            norms = slope.flatten(1).square().sum(1).add(1e-12).sqrt()
            (10 * (norms - 1).square().mean() - distance).backward()
            adam_c.step()
        adam_g.zero_grad()
        (-gan.critic(gan.generator(torch.randn(len(real), run["latent"], 1, 1))).mean()).backward()
        adam_g.step()
        return distance.detach()

    return step


def score_of(images):
    p = softmax(judge(images.flatten(1)), 1)
    terms = p * ((p + 1e-12).log() - (p.mean(0, keepdim=True) + 1e-12).log())
    return {"score": terms.sum(1).mean().exp().item(), "sure": (p.max(1).values > 0.9).float().mean().item()}


runs = []
for run in plan()["runs"]:
    gan = Gan(run)
    gan.load_state_dict(tensors(run["name"]))
    batches = endless(tensors("orders-" + run["name"])["order"].long(), run["batchSize"])
    step = (dcgan_step if run["name"] == "dcgan" else wgan_step)(gan, run)
    gan.train()
    losses, start = [], time.perf_counter()
    for _ in range(run["steps"]):
        losses.append(step(batches))
    pieces = torch.stack(losses).split(run["piece"])
    losses = [piece.mean().item() for piece in pieces]
    spent = time.perf_counter() - start
    gan.eval()
    with torch.no_grad():
        final = score_of((gan.generator(torch.randn(run["samples"], run["latent"], 1, 1)) + 1) / 2)
    runs.append({"name": run["name"], "losses": losses, "seconds": spent, "updates": run["steps"], "final": final})
report(runs)
