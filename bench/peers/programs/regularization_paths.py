"""L1 and L2 on a linear regression: the twin of regularization-paths."""
import time
import torch
from common import plan, report, tensors

the_plan = plan()
arrays = tensors("data")
X, y = arrays["X"], arrays["y"]
steps, strengths = the_plan["steps"], the_plan["strengths"]


def loss_of(b):
    return (X @ b - y).square().mean() / 2


def descend(name):
    b = torch.zeros(X.shape[1], 1, dtype=torch.float64, requires_grad=True)
    losses = []
    start = time.perf_counter()
    for strength in strengths:
        ridge = name == "ridge"
        lr = 1 / (the_plan["curvature"] + strength) if ridge else the_plan["lr"]
        optimizer = torch.optim.SGD([b], lr=lr, weight_decay=strength if ridge else 0)
        for _ in range(steps):
            optimizer.zero_grad()
            loss_of(b).backward()
            if name == "lasso subgradient":
                b.grad += strength * b.detach().sign()
            optimizer.step()
            if name == "lasso proximal":
                with torch.no_grad():
                    b.copy_(torch.nn.functional.softshrink(b, lr * strength))
        losses.append(loss_of(b).item())
    spent = time.perf_counter() - start
    final = {f"b{j + 1}": value for j, value in enumerate(b.detach().flatten().tolist())}
    return {"name": name, "losses": losses, "seconds": spent, "updates": steps * len(strengths), "final": final}


report([descend(name) for name in ("ridge", "lasso proximal", "lasso subgradient")])
