"""Goldens of padding and interpolation; see case.py."""

from case import *

case("pad/plain", lambda x: F.pad(x, (1, 2), value=1.5), X(2, 3))
case("pad/several", lambda x: F.pad(x, (1, 0, 2, 1, 0, 1)), X(2, 2, 3))
case("pad/negative", lambda x: F.pad(x, (-1, 2, 1, -2)), X(4, 5))
case("pad/empty", lambda x: F.pad(x, (1, 2)), X(2, 0))
case("pad/integers", lambda x: F.pad(x, (1, 1), value=7), I([[1, 2], [3, 4]]), grad=False)
for mode in ("reflect", "replicate", "circular"):
    case(f"pad/{mode}1", lambda x: F.pad(x, (2, 1), mode=mode), X(2, 2, 4))
    case(f"pad/{mode}2", lambda x: F.pad(x, (2, 1, 0, 2), mode=mode), X(1, 2, 3, 4))
    case(f"pad/{mode}3", lambda x: F.pad(x, (1, 1, 0, 2, 1, 0), mode=mode), X(1, 2, 3, 3, 2))
    case(f"pad/{mode}Unbatched", lambda x: F.pad(x, (2, 1), mode=mode), X(2, 4))

PADS = {1: ((2, 1), (1, 2, 4)), 2: ((1, 1, 0, 2), (1, 2, 3, 4)), 3: ((1, 1, 0, 1, 1, 0), (1, 1, 2, 3, 2))}
for d, (amounts, shape) in PADS.items():
    case(f"nn.ConstantPad{d}d/plain", lambda x: F.pad(x, amounts, value=2.5), X(*shape))
    case(f"nn.ZeroPad{d}d/plain", lambda x: F.pad(x, (1,) * (2 * d)), X(*shape))
    for name, mode in (("ReflectionPad", "reflect"), ("ReplicationPad", "replicate"), ("CircularPad", "circular")):
        case(f"nn.{name}{d}d/plain", lambda x: F.pad(x, amounts, mode=mode), X(*shape))

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
SHAPES = {1: (2, 2, 5), 2: (1, 2, 4, 5), 3: (1, 1, 3, 2, 4)}
UP, DOWN = {1: 8, 2: (7, 6), 3: (4, 5, 6)}, {1: 3, 2: (3, 2), 3: (2, 2, 3)}
for d in (1, 2, 3):
    for mode in ("nearest", "nearest-exact", "area"):
        case(f"interpolate/{mode}{d}Up", lambda x: F.interpolate(x, size=UP[d], mode=mode), X(*SHAPES[d]))
        case(f"interpolate/{mode}{d}Down", lambda x: F.interpolate(x, size=DOWN[d], mode=mode), X(*SHAPES[d]))
    for align in (False, True):
        name = "Aligned" if align else ""
        case(f"interpolate/linear{d}Up{name}", lambda x: F.interpolate(x, size=UP[d], mode=LINEAR[d], align_corners=align), X(*SHAPES[d]))
        case(f"interpolate/linear{d}Down{name}", lambda x: F.interpolate(x, size=DOWN[d], mode=LINEAR[d], align_corners=align), X(*SHAPES[d]))
for align in (False, True):
    name = "Aligned" if align else ""
    for mode in ("bilinear", "bicubic"):
        for size in ((9, 3), (3, 11), (1, 2)):
            suffix = f"{size[0]}x{size[1]}{name}"
            case(f"interpolate/{mode}Antialias{suffix}", lambda x: F.interpolate(x, size=size, mode=mode, align_corners=align, antialias=True), X(1, 1, 6, 7))
    for size in ((9, 3), (3, 11), (1, 2)):
        case(f"interpolate/bicubic{size[0]}x{size[1]}{name}", lambda x: F.interpolate(x, size=size, mode="bicubic", align_corners=align), X(1, 1, 6, 7))
for mode in ("nearest", "nearest-exact", "bilinear", "bicubic", "area"):
    case(f"interpolate/{mode}Factor", lambda x: F.interpolate(x, scale_factor=(1.3, 0.7), mode=mode), X(1, 2, 5, 6))
    # PyTorch's bicubic gradient is that of a copy when sizes are equal, though its result is none.
    if mode != "bicubic":
        case(f"interpolate/{mode}Same", lambda x: F.interpolate(x, scale_factor=1.1, mode=mode), X(1, 1, 5, 5))
    case(f"interpolate/{mode}Recomputed", lambda x: F.interpolate(x, scale_factor=1.7, mode=mode, recompute_scale_factor=True), X(1, 1, 4, 5))
case("interpolate/none", lambda x: F.interpolate(x, size=4), X(0, 2, 3))

case("nn.Upsample/plain", lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), X(1, 2, 2, 3))
case("nn.Upsample/size", lambda x: F.interpolate(x, size=5), X(1, 2, 3))
case("nn.UpsamplingNearest2d/plain", lambda x: F.interpolate(x, scale_factor=2), X(1, 2, 2, 3))
case("nn.UpsamplingBilinear2d/plain", lambda x: F.interpolate(x, size=(3, 5), mode="bilinear", align_corners=True), X(1, 2, 2, 3))

write(__file__)
