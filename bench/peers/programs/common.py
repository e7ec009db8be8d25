"""What the programs in PyTorch share: reading what the program in TypeScript has written, and training classifiers."""
import json
import re
import sys
import time
from pathlib import Path

import numpy
import torch
from torch import nn

FOLDER = Path(sys.argv[1])
torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else 1)

DTYPES = {"F64": numpy.float64, "F32": numpy.float32, "I64": numpy.int64, "I32": numpy.int32, "U8": numpy.uint8}


def tensors(name):
    """The tensors of a safetensors file: eight bytes of length, a header in JSON, the numbers."""
    content = (FOLDER / f"{name}.safetensors").read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header.pop("__metadata__", None)
    result = {}
    for key, entry in header.items():
        start, end = entry["data_offsets"]
        values = numpy.frombuffer(content, DTYPES[entry["dtype"]], offset=8 + size + start,
                                  count=(end - start) // DTYPES[entry["dtype"]]().itemsize)
        result[key] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return result


def plan():
    return json.loads((FOLDER / "plan.json").read_text())


def report(runs):
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "runs": runs}))


def snake(name):
    return re.sub(r"(?<=[a-z])([A-Z])", lambda m: f"_{m[1].lower()}", name)


def make_optimizer(description, parameters):
    options = {snake(key): value for key, value in description["options"].items()}
    return getattr(torch.optim, description["name"])(parameters, **options)


def make_schedule(s, optimizer):
    of = torch.optim.lr_scheduler
    name = s["name"]
    if name == "LinearLR":
        return of.LinearLR(optimizer, s["startFactor"], s["endFactor"], s["totalIters"])
    if name == "ExponentialLR":
        return of.ExponentialLR(optimizer, s["gamma"])
    if name == "StepLR":
        return of.StepLR(optimizer, s["stepSize"], s["gamma"])
    if name == "CyclicLR":
        return of.CyclicLR(optimizer, s["baseLr"], s["maxLr"], s["stepSizeUp"], cycle_momentum=False)
    if name == "CosineAnnealingLR":
        return of.CosineAnnealingLR(optimizer, s["tMax"])
    if name == "OneCycleLR":
        return of.OneCycleLR(optimizer, s["maxLr"], s["totalSteps"])
    if name == "ReduceLROnPlateau":
        return of.ReduceLROnPlateau(optimizer, factor=s["factor"], patience=s["patience"], threshold=s["threshold"])
    raise ValueError(name)


def train_classifiers(make_model, prepare=lambda x: x, loss_of=nn.functional.cross_entropy,
                      right=lambda output, y: (output.argmax(1) == y).sum()):
    """The trainings of the plan: the same loop as in examples/lib/classify.ts."""
    the_plan = plan()
    arrays = tensors("data")
    train_x, train_y, test_x, test_y = (arrays[key] for key in ("trainX", "trainY", "testX", "testY"))
    runs = []
    for run in the_plan["runs"]:
        if not hasattr(torch.optim, run["optimizer"]["name"]):
            continue
        model = make_model(run)
        model.load_state_dict(tensors(run["weights"]))
        orders = tensors(run["orders"])["order"].long()
        optimizer = make_optimizer(run["optimizer"], model.parameters())
        schedule = make_schedule(run["schedule"], optimizer) if run.get("schedule") else None
        each = run["schedule"]["each"] if schedule else None
        losses, updates, spent = [], 0, 0.0
        batch_size = run["batchSize"]
        model.train()
        for epoch in range(run["epochs"]):
            if run.get("growth"):
                growth = run["growth"]
                batch_size = min(run["batchSize"] * growth["factor"] ** (epoch // growth["every"]), growth["max"])
            start = time.perf_counter()
            total = torch.zeros(())
            for order in orders[epoch].split(batch_size):
                x, y = train_x[order], train_y[order]
                loss = loss_of(model(prepare(x)), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.detach() * len(order)
                updates += 1
                if each == "step":
                    schedule.step()
            losses.append(total.item() / len(train_x))
            spent += time.perf_counter() - start
            if each == "epoch":
                schedule.step()
            if each == "loss":
                schedule.step(losses[-1])
        model.eval()
        correct, test_loss = 0, 0.0
        with torch.no_grad():
            for x, y in zip(test_x.split(500), test_y.split(500)):
                output = model(prepare(x))
                correct += right(output, y).item()
                test_loss += loss_of(output, y).item() * len(x)
        runs.append({"name": run["name"], "losses": losses, "seconds": spent, "updates": updates,
                     "final": {"loss": test_loss / len(test_x), "accuracy": correct / len(test_x)}})
    report(runs)
