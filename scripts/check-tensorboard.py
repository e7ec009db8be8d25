"""What TensorBoard makes of the event files: its own Python reader, and its server's plugins.

    npm run build
    python3 -m venv /tmp/tensorboard && /tmp/tensorboard/bin/pip install tensorboard
    /tmp/tensorboard/bin/python scripts/check-tensorboard.py
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.util import tensor_util

here = os.path.dirname(os.path.abspath(__file__))


def check(what, condition, detail=""):
    print(f"{'ok  ' if condition else 'FAIL'} {what} {detail}")
    if not condition:
        sys.exit(1)


def read(folder):
    limits = {kind: 0 for kind in ("scalars", "histograms", "images", "tensors", "compressedHistograms", "audio")}
    accumulator = EventAccumulator(folder, size_guidance=limits)
    accumulator.Reload()
    return accumulator


def check_reader(log):
    run = read(os.path.join(log, "run"))
    tags = run.Tags()
    scalars = run.Scalars("loss/train")
    check("scalars", [(e.step, round(e.value, 6)) for e in scalars] == [(i, round(2 / (i + 1), 6)) for i in range(20)])
    both = read(os.path.join(log, "run", "both_validation")).Scalars("both")
    check("scalars of several runs", len(both) == 20 and abs(both[1].value - 0.75) < 1e-6)
    histogram = run.Histograms("normal")[-1].histogram_value
    check("histograms", len(run.Histograms("normal")) == 20 and histogram.num == 1000, f"{len(histogram.bucket)} buckets")
    check("histogram's counts", sum(histogram.bucket) == 1000 and histogram.min < histogram.max)
    odd = run.Histograms("odd")[0].histogram_value
    check("histogram of what is not finite", odd.num == 3 and odd.max == 2)
    image = run.Images("one")[0]
    check("images", (image.width, image.height) == (24, 16) and image.encoded_image_string[:4] == b"\x89PNG")
    check("text", tensor_util.make_ndarray(run.Tensors("about/text_summary")[0].tensor_proto)[0].startswith(b"# A run"))
    check("curves", tensor_util.make_ndarray(run.Tensors("pr")[0].tensor_proto).shape == (6, 127))
    graph = run.Graph()
    check("graph", tags["graph"] and len(graph.node) >= 15, f"{len(graph.node)} nodes")
    names = {node.name for node in graph.node}
    check("graph's edges", all(i.split(":")[0] in names for node in graph.node for i in node.input))
    check("graph's shapes", all(node.attr["_output_shapes"].list.shape for node in graph.node))
    session = read(os.path.join(log, "run", "a"))
    content = session.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    start = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
    check(
        "hparams",
        start.hparams["lr"].number_value == 0.1
        and start.hparams["optimizer"].string_value == "SGD"
        and start.hparams["nesterov"].bool_value,
    )
    end = session.SummaryMetadata("_hparams_/session_end_info").plugin_data.content
    check("hparams' end", plugin_data_pb2.HParamsPluginData.FromString(end).session_end_info.status == 1)


def check_server(log):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", "--logdir", log, "--port", str(port), "--host", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    base = f"http://127.0.0.1:{port}/data/"

    def get(path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(base + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read()

    try:
        for _ in range(240):
            try:
                if len(json.loads(get("runs"))) >= 5:
                    break
            except OSError:
                pass
            time.sleep(0.5)
        check("server: runs", True, str(json.loads(get("runs"))))
        query = urllib.parse.urlencode({"run": "run", "tag": "loss/train"})
        check("server: scalars", len(json.loads(get(f"plugin/scalars/scalars?{query}"))) == 20)
        query = urllib.parse.urlencode({"run": "run", "tag": "normal"})
        histograms = json.loads(get(f"plugin/histograms/histograms?{query}"))
        buckets = histograms[0][2]
        check("server: histograms", len(histograms) == 20 and sum(b[2] for b in buckets) == 1000)
        check("server: buckets", all(left < right for left, right, _ in buckets), f"{len(buckets)} of them")
        distributions = json.loads(get(f"plugin/distributions/distributions?{query}"))
        check("server: distributions", len(distributions) == 20)
        query = urllib.parse.urlencode({"run": "run", "tag": "grid", "sample": 0})
        images = json.loads(get(f"plugin/images/images?{query}"))
        png = get("plugin/images/individualImage?" + images[0]["query"])
        check("server: images", len(images) == 1 and png[:4] == b"\x89PNG")
        query = urllib.parse.urlencode({"run": "run", "tag": "about/text_summary"})
        check("server: text", "<strong>text</strong>" in json.loads(get(f"plugin/text/text?{query}"))[0]["text"])
        query = urllib.parse.urlencode({"run": "run", "tag": "pr"})
        check("server: curves", len(json.loads(get(f"plugin/pr_curves/pr_curves?{query}"))["run"]) == 1)
        query = urllib.parse.urlencode({"run": "run", "conceptual": "false", "large_attrs_key": "_too_large_attrs"})
        graph = get(f"plugin/graphs/graph?{query}").decode()
        check("server: graph", "Sequential/Conv2d[0]/weight" in graph and "_output_shapes" in graph)
        experiment = json.loads(get("plugin/hparams/experiment", {"experimentName": ""}))
        check("server: hparams", sorted(i["name"] for i in experiment["hparamInfos"]) == ["lr", "nesterov", "optimizer"])
        wanted = {
            "experimentName": "",
            "colParams": [{"metric": i["name"]} for i in experiment["metricInfos"]],
            "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING", "STATUS_UNKNOWN"],
            "startIndex": 0,
            "sliceSize": 10,
        }
        groups = json.loads(get("plugin/hparams/session_groups", wanted))["sessionGroups"]
        values = sorted(round(g["metricValues"][0]["value"], 4) for g in groups)
        check("server: session groups", values == [0.9, 0.95], str([g["hparams"] for g in groups]))
        projector = json.loads(get("plugin/projector/info?run=run"))
        check("server: projector", projector["embeddings"][0]["tensorShape"] == [20, 5])
    finally:
        server.terminate()
        server.wait()


with tempfile.TemporaryDirectory() as log:
    subprocess.run(["node", os.path.join(here, "tensorboard-log.mjs"), log], check=True)
    check_reader(log)
    check_server(log)
print("TensorBoard reads it all.")
