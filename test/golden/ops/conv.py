"""Convolutions, patches and shuffles: writes conv.json; see case.py."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from case import X, case, write

# ---- convolutions
case("conv1d/plain", F.conv1d, X(2, 3, 8), X(4, 3, 3), X(4))
case("conv1d/options", lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=3, dilation=2), X(2, 2, 9), X(3, 2, 3), X(3))
case("conv1d/same", lambda x, w: F.conv1d(x, w, padding="same", dilation=3), X(2, 2, 7), X(3, 2, 2))
case("conv1d/unbatched", lambda x, w, b: F.conv1d(x, w, b, groups=2), X(4, 6), X(2, 2, 3), X(2))
case("conv1d/empty", F.conv1d, X(0, 2, 5), X(3, 2, 2), X(3))
case("conv2d/plain", F.conv2d, X(2, 3, 5, 6), X(4, 3, 3, 3), X(4))
case("conv2d/noBias", F.conv2d, X(1, 2, 4, 4), X(2, 2, 2, 2))
case("conv2d/pointwise", F.conv2d, X(2, 3, 3, 4), X(5, 3, 1, 1), X(5))
case("conv2d/pointwiseStride", lambda x, w: F.conv2d(x, w, stride=2), X(2, 3, 4, 5), X(2, 3, 1, 1))
case("conv2d/options", lambda x, w, b: F.conv2d(x, w, b, stride=(2, 3), padding=(2, 1), dilation=(1, 2)), X(2, 2, 6, 8), X(3, 2, 3, 2), X(3))
case("conv2d/floor", lambda x, w: F.conv2d(x, w, stride=3), X(1, 2, 7, 8), X(2, 2, 2, 2))
case("conv2d/same", lambda x, w, b: F.conv2d(x, w, b, padding="same", dilation=(1, 2)), X(1, 2, 4, 5), X(2, 2, 4, 3), X(2))
case("conv2d/groups", lambda x, w, b: F.conv2d(x, w, b, padding=1, groups=2), X(2, 4, 4, 3), X(6, 2, 3, 3), X(6))
case("conv2d/depthwise", lambda x, w, b: F.conv2d(x, w, b, padding=1, groups=3), X(2, 3, 5, 4), X(3, 1, 3, 3), X(3))
case("conv2d/depthwiseStride", lambda x, w: F.conv2d(x, w, stride=2, padding=2, dilation=2, groups=2), X(2, 2, 6, 7), X(4, 1, 3, 3))
case("conv2d/oneChannel", lambda x, w, b: F.conv2d(x, w, b, stride=(1, 3), padding=(0, 2)), X(2, 1, 5, 6), X(3, 1, 2, 3), X(3))
case("conv2d/unbatched", F.conv2d, X(2, 4, 4), X(3, 2, 2, 3), X(3))
case("conv2d/wholeImage", F.conv2d, X(2, 2, 3, 4), X(3, 2, 3, 4), X(3))
case("conv2d/empty", lambda x, w, b: F.conv2d(x, w, b, padding=1), X(0, 2, 5, 5), X(3, 2, 2, 2), X(3))
case("conv3d/plain", F.conv3d, X(1, 2, 3, 4, 3), X(2, 2, 2, 3, 2), X(2))
case("conv3d/options", lambda x, w, b: F.conv3d(x, w, b, stride=(2, 1, 2), padding=(1, 0, 2), dilation=(1, 2, 1), groups=2), X(1, 4, 3, 4, 3), X(2, 2, 2, 2, 3), X(2))
case("conv3d/depthwise", lambda x, w: F.conv3d(x, w, padding=1, stride=(1, 2, 1), groups=2), X(1, 2, 3, 4, 3), X(2, 1, 3, 3, 2))
case("conv3d/unbatched", F.conv3d, X(1, 3, 3, 3), X(2, 1, 2, 2, 2))

# ---- transposed
case("convTranspose1d/plain", F.conv_transpose1d, X(2, 3, 5), X(3, 2, 3), X(2))
case("convTranspose1d/options", lambda x, w, b: F.conv_transpose1d(x, w, b, stride=3, padding=2, output_padding=1, dilation=2), X(2, 2, 4), X(2, 3, 3), X(3))
case("convTranspose1d/unbatched", lambda x, w, b: F.conv_transpose1d(x, w, b, groups=2), X(4, 5), X(4, 1, 3), X(2))
case("convTranspose2d/plain", F.conv_transpose2d, X(2, 3, 3, 4), X(3, 2, 3, 2), X(2))
case("convTranspose2d/noBias", lambda x, w: F.conv_transpose2d(x, w, stride=2), X(1, 2, 3, 3), X(2, 2, 2, 2))
case("convTranspose2d/pointwise", F.conv_transpose2d, X(2, 3, 3, 4), X(3, 2, 1, 1), X(2))
case("convTranspose2d/options", lambda x, w, b: F.conv_transpose2d(x, w, b, stride=(2, 3), padding=(1, 2), output_padding=(1, 2), dilation=(2, 1)), X(2, 2, 3, 3), X(2, 2, 3, 4), X(2))
case("convTranspose2d/groups", lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, groups=2), X(1, 4, 3, 2), X(4, 2, 3, 3), X(4))
case("convTranspose2d/depthwise", lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1, output_padding=1, groups=3), X(2, 3, 3, 4), X(3, 1, 3, 3), X(3))
case("convTranspose2d/gap", lambda x, w, b: F.conv_transpose2d(x, w, b, stride=3), X(1, 2, 2, 3), X(2, 2, 1, 2), X(2))
case("convTranspose2d/unbatched", F.conv_transpose2d, X(2, 3, 3), X(2, 3, 2, 2), X(3))
case("convTranspose2d/empty", F.conv_transpose2d, X(0, 2, 3, 3), X(2, 3, 2, 2), X(3))
case("convTranspose3d/plain", F.conv_transpose3d, X(1, 2, 2, 3, 2), X(2, 2, 2, 2, 3), X(2))
case("convTranspose3d/options", lambda x, w, b: F.conv_transpose3d(x, w, b, stride=(1, 2, 2), padding=(0, 1, 0), output_padding=(0, 1, 1), groups=2), X(1, 2, 2, 2, 3), X(2, 1, 2, 3, 2), X(2))
case("convTranspose3d/unbatched", F.conv_transpose3d, X(2, 2, 2, 2), X(2, 1, 2, 2, 1))

# ---- patches
case("unfold/plain", lambda x: F.unfold(x, 2), X(2, 3, 4, 3))
case("unfold/options", lambda x: F.unfold(x, (2, 3), dilation=(2, 1), padding=(1, 2), stride=(2, 1)), X(2, 2, 5, 4))
case("unfold/unbatched", lambda x: F.unfold(x, 3, padding=1), X(2, 3, 3))
case("unfold/empty", lambda x: F.unfold(x, 2), X(0, 2, 3, 3))
case("fold/plain", lambda x: F.fold(x, (4, 3), 2), X(2, 12, 6))
case("fold/options", lambda x: F.fold(x, (5, 4), (2, 3), dilation=(2, 1), padding=(1, 2), stride=(2, 1)), X(2, 12, 18))
case("fold/unbatched", lambda x: F.fold(x, 3, 3, padding=1), X(18, 9))
case("fold/empty", lambda x: F.fold(x, 3, 2), X(0, 8, 4))

# ---- shuffles
case("pixelShuffle/plain", lambda x: F.pixel_shuffle(x, 2), X(2, 8, 2, 3))
case("pixelShuffle/lead", lambda x: F.pixel_shuffle(x, 3), X(2, 1, 9, 1, 2))
case("pixelShuffle/unbatched", lambda x: F.pixel_shuffle(x, 1), X(2, 2, 3))
case("pixelShuffle/empty", lambda x: F.pixel_shuffle(x, 2), X(0, 4, 2, 2), grad=False)
case("pixelUnshuffle/plain", lambda x: F.pixel_unshuffle(x, 2), X(2, 2, 4, 6))
case("pixelUnshuffle/unbatched", lambda x: F.pixel_unshuffle(x, 3), X(1, 3, 6))
case("channelShuffle/plain", lambda x: F.channel_shuffle(x, 2), X(2, 6, 2, 3))
case("channelShuffle/sequence", lambda x: F.channel_shuffle(x, 3), X(2, 6, 2))


# ---- layers
def layer(key, make, shape, *state):
    """A module's case: x, then its parameters in the order of the state dict."""

    def run(x, *values):
        module = make().double()
        names = [name for name, _ in module.named_parameters()]
        return torch.func.functional_call(module, {name: value.detach() for name, value in zip(names, values)}, (x,))

    case(key, run, X(*shape), *(X(*size) for size in state))


layer("nn.Conv1d/plain", lambda: nn.Conv1d(2, 3, 3, padding=1), (2, 2, 5), (3, 2, 3), (3,))
layer("nn.Conv1d/circular", lambda: nn.Conv1d(2, 3, 3, padding=2, padding_mode="circular"), (2, 2, 5), (3, 2, 3), (3,))
layer("nn.Conv1d/replicate", lambda: nn.Conv1d(2, 2, 3, padding=4, padding_mode="replicate", bias=False), (2, 3), (2, 2, 3))
layer("nn.Conv2d/plain", lambda: nn.Conv2d(4, 2, (3, 2), stride=2, padding=(1, 0), dilation=(1, 2), groups=2), (2, 4, 5, 5), (2, 2, 3, 2), (2,))
layer("nn.Conv2d/reflect", lambda: nn.Conv2d(2, 2, 3, padding=(2, 1), padding_mode="reflect"), (2, 2, 4, 3), (2, 2, 3, 3), (2,))
layer("nn.Conv2d/replicate", lambda: nn.Conv2d(1, 2, 3, padding=(0, 2), padding_mode="replicate"), (1, 1, 4, 3), (2, 1, 3, 3), (2,))
layer("nn.Conv2d/circularSame", lambda: nn.Conv2d(2, 2, (2, 4), padding="same", padding_mode="circular"), (1, 2, 3, 4), (2, 2, 2, 4), (2,))
layer("nn.Conv3d/plain", lambda: nn.Conv3d(1, 2, 2, padding=1, bias=False), (1, 1, 2, 3, 2), (2, 1, 2, 2, 2))
layer("nn.ConvTranspose1d/plain", lambda: nn.ConvTranspose1d(2, 3, 3, stride=2, output_padding=1), (2, 2, 4), (2, 3, 3), (3,))
layer("nn.ConvTranspose2d/plain", lambda: nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, groups=2, dilation=2), (1, 2, 3, 2), (2, 2, 3, 3), (4,))
layer("nn.ConvTranspose3d/plain", lambda: nn.ConvTranspose3d(1, 2, 2, stride=(1, 2, 2), bias=False), (1, 1, 2, 2, 2), (1, 2, 2, 2, 2))
case(
    "nn.ConvTranspose2d/outputSize",
    lambda x, w, b: F.conv_transpose2d(x, w.detach(), b.detach(), stride=2, output_padding=(1, 0)),
    X(1, 2, 2, 3),
    X(2, 2, 3, 3),
    X(2),
)
layer("nn.Unfold/plain", lambda: nn.Unfold((2, 3), dilation=1, padding=1, stride=2), (2, 2, 4, 3))
layer("nn.Fold/plain", lambda: nn.Fold((4, 3), (2, 3), padding=1, stride=2), (2, 12, 6))
layer("nn.PixelShuffle/plain", lambda: nn.PixelShuffle(2), (1, 4, 2, 3))
layer("nn.PixelUnshuffle/plain", lambda: nn.PixelUnshuffle(2), (1, 1, 4, 2))
layer("nn.ChannelShuffle/plain", lambda: nn.ChannelShuffle(2), (1, 4, 2, 2))

write(__file__)
