"""y = 2x + 1 by optimizers of torch.optim: the twin of linear-regression."""
import time
import torch
from common import make_optimizer, plan, report, tensors

arrays = tensors("data")
X, y, start = arrays["X"], arrays["y"], arrays["start"]


def loss_of(inputs, targets, theta):
    return (inputs @ theta - targets).square().mean()


runs = []
for run in plan()["runs"]:
    orders = tensors(run["orders"])["order"].long()
    theta = start.clone().requires_grad_()
    optimizer = make_optimizer(run["optimizer"], [theta])
    losses, updates = [], 0
    began = time.perf_counter()
    for order in orders:
        for rows in order.split(run["batchSize"]):
            loss = loss_of(X[rows], y[rows], theta)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            updates += 1
        with torch.no_grad():
            losses.append(loss_of(X, y, theta))
    losses = [loss.item() for loss in losses]
    spent = time.perf_counter() - began
    intercept, slope = theta.detach().flatten().tolist()
    runs.append({"name": run["name"], "losses": losses, "seconds": spent, "updates": updates,
                 "final": {"intercept": intercept, "slope": slope}})
report(runs)
