# Reference values for data.transforms, written to transforms.json: definitions in numpy and float64, and torch's own grid
# sampling, resizing and padding. Run: python3 test/golden/transforms.py
import colorsys
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(0)
N, C, H, W = 2, 3, 6, 7
bytes_ = rng.integers(0, 256, (N, C, H, W)).astype(np.uint8)
bytes_[1, 2] = 90  # a flat channel
floats = torch.tensor(bytes_.astype(np.float64) / 255)
cases = {}


def rounded(a):
    return [round(float(v), 9) for v in np.asarray(a).reshape(-1)]


def case(name, result):
    cases[name] = {"shape": list(result.shape), "values": rounded(result)}


# ---- warping: matrices by multiplication, inverted by numpy; sampled by torch


def moved(x, y):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def forward_matrix(angle, translate, scale, shear, center):
    a, sx, sy = (math.radians(v) for v in (angle, *shear))
    turn = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])
    shear_y = np.array([[1, 0, 0], [math.tan(sy), 1, 0], [0, 0, 1]])
    shear_x = np.array([[1, -math.tan(sx), 0], [0, 1, 0], [0, 0, 1]])
    # torchvision's order: turn after shearing, where the shear along y has the opposite sign.
    shear_y[1, 0] = -math.tan(sy)
    return moved(*translate) @ moved(*center) @ turn @ shear_y @ shear_x @ np.diag([scale, scale, 1]) @ moved(*(-np.array(center)))


def sampled(x, places, mode, fill):
    # places [N, H, W, 2] in pixels: 0 is the centre of the first pixel.
    n, c, h, w = x.shape
    grid = torch.tensor(np.stack([(places[..., 0] + 0.5) * 2 / w - 1, (places[..., 1] + 0.5) * 2 / h - 1], -1))
    f = torch.tensor(fill, dtype=torch.float64).reshape(1, -1, 1, 1)
    return F.grid_sample(x - f, grid, mode=mode, align_corners=False) + f


def affine(x, mode, fill, parameters, size=None):
    h, w = x.shape[2:]
    oh, ow = size or (h, w)
    places = []
    for parameter in parameters:
        inverse = np.linalg.inv(forward_matrix(**parameter))
        xs, ys = np.meshgrid(np.arange(ow) - (ow - 1) / 2, np.arange(oh) - (oh - 1) / 2)
        points = np.stack([xs, ys, np.ones_like(xs)]).reshape(3, -1)
        back = (inverse @ points)[:2].reshape(2, oh, ow)
        places.append(np.stack([back[0] + (w - 1) / 2, back[1] + (h - 1) / 2], -1))
    return sampled(x, np.stack(places), mode, fill)


base = dict(angle=0, translate=(0, 0), scale=1, shear=(0, 0), center=(0, 0))
p = [
    dict(base, angle=20, translate=(1, -2), scale=1.3, shear=(10, -5)),
    dict(base, angle=-40, scale=0.8, shear=(0, 15)),
]
for mode in ("nearest", "bilinear", "bicubic"):
    case(f"affine {mode}", affine(floats, mode, [0.0], p))
case("affine fill", affine(floats, "bilinear", [0.2, 0.5, 1.0], p))
case("affine centre", affine(floats, "bilinear", [0.0], [dict(q, center=(1 - W / 2, 2 - H / 2)) for q in p]))
case("rotate", affine(floats, "bilinear", [0.0], [dict(base, angle=-30), dict(base, angle=-250)]))
case("rotate expand", affine(floats, "bilinear", [0.0], [dict(base, angle=-90)] * 2, (W, H)))

starts = [[0, 0], [W - 1, 0], [W - 1, H - 1], [0, H - 1]]
ends = [[[1, 0], [5, 1], [6, 5], [0, 4]], [[0, 2], [6, 0], [5, 4], [1, 5]]]
places = []
for end in ends:
    rows, right = [], []
    for (x, y), (u, v) in zip(end, starts):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    a, b, c, d, e, f, g, h = np.linalg.solve(np.array(rows, float), np.array(right, float))
    xs, ys = np.meshgrid(np.arange(W) + 0.5, np.arange(H) + 0.5)
    den = g * xs + h * ys + 1
    places.append(np.stack([(a * xs + b * ys + c) / den - 0.5, (d * xs + e * ys + f) / den - 0.5], -1))
case("perspective", sampled(floats, np.stack(places), "bilinear", [0.0]))

# ---- resizing

case("resize", F.interpolate(floats, size=(4, 9), mode="bilinear", antialias=True))
case("resize bicubic", F.interpolate(floats, size=(9, 5), mode="bicubic", antialias=True))
case("resize plain", F.interpolate(floats, size=(4, 9), mode="bilinear"))
windows = [(1, 2, 4, 5), (0, 0, 6, 3)]
for name, options in (("resizedCrop", dict(mode="bilinear", antialias=True)), ("resizedCrop nearest", dict(mode="nearest"))):
    parts = [
        F.interpolate(floats[n : n + 1, :, t : t + h, l : l + w], size=(3, 4), **options)
        for n, (t, l, h, w) in enumerate(windows)
    ]
    case(name, torch.cat(parts))

# ---- colour

LUMA = np.array([0.2989, 0.587, 0.114])


def grey(a):
    return np.einsum("nchw,c->nhw", a, LUMA)[:, None]


x = floats.numpy()
b = bytes_.astype(np.float64)
factors = np.array([0.4, 1.7]).reshape(2, 1, 1, 1)


def mix(a, other, bound):
    return np.clip(a * factors + other * (1 - factors), 0, bound)


case("grayscale", grey(x))
case("brightness", np.clip(x * factors, 0, 1))
case("contrast", mix(x, grey(x).mean((1, 2, 3), keepdims=True), 1))
case("saturation", mix(x, grey(x), 1))
case("brightness bytes", np.floor(np.clip(b * factors, 0, 255)))
case("contrast bytes", np.floor(mix(b, np.floor(grey(b)).mean((1, 2, 3), keepdims=True), 255)))
case("saturation bytes", np.floor(mix(b, np.floor(grey(b)), 255)))
hue = np.empty_like(x)
for n, turn in enumerate((0.3, -0.45)):
    for i in range(H):
        for j in range(W):
            h_, s_, v_ = colorsys.rgb_to_hsv(*x[n, :, i, j])
            hue[n, :, i, j] = colorsys.hsv_to_rgb((h_ + turn) % 1, s_, v_)
case("hue", hue)

# ---- tone

case("posterize", np.stack([np.floor(np.minimum(x[0] * 4, 3)) / 4, np.floor(np.minimum(x[1] * 32, 31)) / 32]))
case("posterize bytes", np.stack([bytes_[0] & 0b11000000, bytes_[1] & 0b11111000]))
case("solarize bytes", np.where(b >= np.array([100, 200]).reshape(2, 1, 1, 1), 255 - b, b))
low, high = b.min((2, 3), keepdims=True), b.max((2, 3), keepdims=True)
stretched = np.where(high == low, b, (b - low) * 255 / np.maximum(high - low, 1))
case("autocontrast", np.where(high == low, b, stretched) / 255)


def equalized(plane):
    histogram = np.bincount(plane.reshape(-1), minlength=256)
    last = np.flatnonzero(histogram)[-1]
    step = (histogram.sum() - histogram[last]) // 255
    if step == 0:
        return plane
    table, n = [], step // 2
    for count in histogram:
        table.append(min(n // step, 255))
        n += count
    return np.array(table)[plane]


large = (rng.random((2, 1, 40, 40)) ** 2 * 200 + 20).astype(np.uint8)
large[1, 0, :20] = 30
cases["equalize input"] = {"shape": list(large.shape), "values": [int(v) for v in large.reshape(-1)]}
case("equalize", np.stack([[equalized(plane) for plane in image] for image in large]))

# ---- filters


def depthwise(a, kernel):
    k = torch.tensor(kernel)[None, None].repeat(C, 1, 1, 1)
    return F.conv2d(a, k, groups=C)


blurred = []
for n, sigma in enumerate((0.7, 1.6)):
    lines = [np.exp(-0.5 * ((np.arange(k) - (k - 1) / 2) / sigma) ** 2) for k in (3, 5)]
    ky, kx = (line / line.sum() for line in lines)
    blurred.append(depthwise(F.pad(floats[n : n + 1], (2, 2, 1, 1), mode="reflect"), np.outer(ky, kx)))
case("gaussianBlur", torch.cat(blurred))
kernel = np.ones((3, 3))
kernel[1, 1] = 5
smooth = x.copy()
smooth[:, :, 1:-1, 1:-1] = depthwise(floats, kernel / 13).numpy()
case("sharpness", mix(x, smooth, 1))

here = os.path.dirname(os.path.abspath(__file__))
cases["images"] = {"shape": [N, C, H, W], "values": [int(v) for v in bytes_.reshape(-1)]}
with open(os.path.join(here, "transforms.json"), "w") as file:
    json.dump(cases, file, separators=(",", ":"))
    file.write("\n")
