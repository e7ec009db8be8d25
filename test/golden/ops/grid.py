"""Writes grid.json, the goldens of gridSample and affineGrid. Needs PyTorch; run by hand, the result is committed."""

import torch
import torch.nn.functional as F

from case import D, X, case, inf, write


def sample(mode="bilinear", padding_mode="zeros", align_corners=False):
    return lambda x, grid: F.grid_sample(x, grid, mode, padding_mode, align_corners)


# Positions on elements, between them, on the border and outside, in both conventions, for 4 by 4 elements.
KINK = torch.cartesian_prod(
    D([-1.0, -0.75, -1 / 4, 0.25, 0.75, 1.0, 1.25, -2.5, 3.0]), D([-1.0, -0.25, 0.75, 1.75])
).reshape(1, 9, 4, 2)
KINK3 = torch.cartesian_prod(D([-1.0, 0.5, 1.5]), D([-1.0, 0.0, 1.0]), D([-3.0, 0.5, 1.0])).reshape(1, 3, 3, 3, 3)

for mode in ("bilinear", "nearest", "bicubic"):
    for padding in ("zeros", "border", "reflection"):
        for align in (False, True):
            name = f"{mode}{padding.capitalize()}{'Aligned' if align else ''}"
            fn = sample(mode, padding, align)
            case(f"gridSample/{name}", fn, X(2, 2, 4, 3), X(2, 3, 2, 2, low=-2.5, high=2.5))
            case(f"gridSample/kink{name[0].upper()}{name[1:]}", fn, X(1, 1, 4, 4), KINK)
            if mode != "bicubic":
                case(f"gridSample/{name}3", fn, X(1, 2, 2, 3, 4), X(1, 2, 1, 3, 3, low=-2, high=2))
                case(f"gridSample/kink{name[0].upper()}{name[1:]}3", fn, X(1, 1, 2, 2, 4), KINK3)
    for padding in ("zeros", "reflection"):
        for align in (False, True):
            name = f"single{mode.capitalize()}{padding.capitalize()}{'Aligned' if align else ''}"
            case(f"gridSample/{name}", sample(mode, padding, align), X(1, 2, 1, 3), X(1, 1, 3, 2, low=-2, high=2))
    case(f"gridSample/emptyBatch{mode.capitalize()}", sample(mode), X(0, 2, 3, 3), X(0, 2, 2, 2))
    case(f"gridSample/emptyChannels{mode.capitalize()}", sample(mode), X(1, 0, 3, 3), X(1, 2, 2, 2))
    case(f"gridSample/emptyGrid{mode.capitalize()}", sample(mode), X(1, 2, 3, 3), X(1, 0, 2, 2))
case("gridSample/special", sample(), D([[[[1.0, inf], [-inf, 4.0]]]]), D([[[[-0.75, -2.5], [0.5, 0.75], [-0.5, -0.25]]]]), grad=False)

for align in (False, True):
    name = "Aligned" if align else ""
    fn = lambda size: lambda theta: F.affine_grid(theta, size, align_corners=align)
    case(f"affineGrid/plane{name}", fn([2, 3, 4, 3]), X(2, 2, 3))
    case(f"affineGrid/volume{name}", fn([2, 1, 2, 3, 4]), X(2, 3, 4))
    case(f"affineGrid/single{name}", fn([1, 1, 1, 3]), X(1, 2, 3))
case(
    "affineGrid/sampled",
    lambda x, theta: F.grid_sample(x, F.affine_grid(theta, [1, 2, 3, 4], align_corners=False), align_corners=False),
    X(1, 2, 5, 4), X(1, 2, 3, low=-1, high=1),
)
write(__file__)
