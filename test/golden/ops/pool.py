"""Goldens of pooling; see case.py."""

from case import *



for d, shapes in {1: ((2, 3, 9), (2, 7)), 2: ((2, 2, 7, 8), (2, 5, 6)), 3: ((1, 2, 5, 4, 6), (2, 4, 5, 3))}.items():
    mx, av, lp = getattr(F, f"max_pool{d}d"), getattr(F, f"avg_pool{d}d"), getattr(F, f"lp_pool{d}d")
    aa, am = getattr(F, f"adaptive_avg_pool{d}d"), getattr(F, f"adaptive_max_pool{d}d")
    case(f"maxPool{d}d/plain", lambda x: mx(x, 2), X(*shapes[0]))
    case(f"maxPool{d}d/unbatched", lambda x: mx(x, 3, stride=1), X(*shapes[1]))
    case(f"maxPool{d}d/padded", lambda x: mx(x, 3, stride=2, padding=1), X(*shapes[0]))
    case(f"maxPool{d}d/dilated", lambda x: mx(x, 2, stride=1, padding=1, dilation=2), X(*shapes[0]))
    case(f"maxPool{d}d/ceil", lambda x: mx(x, 2, stride=3, ceil_mode=True), X(*shapes[0]))
    case(f"maxPool{d}d/indices", lambda x: mx(x, 3, stride=2, padding=1, return_indices=True), X(*shapes[0]))
    case(f"maxPool{d}d/none", lambda x: mx(x, 2), X(0, *shapes[0][1:]))
    case(f"avgPool{d}d/plain", lambda x: av(x, 2), X(*shapes[0]))
    case(f"avgPool{d}d/unbatched", lambda x: av(x, 3, stride=1), X(*shapes[1]))
    case(f"avgPool{d}d/padded", lambda x: av(x, 3, stride=2, padding=1), X(*shapes[0]))
    case(f"avgPool{d}d/excluded", lambda x: av(x, 3, stride=2, padding=1, count_include_pad=False), X(*shapes[0]))
    case(f"avgPool{d}d/ceil", lambda x: av(x, 2, stride=3, padding=1, ceil_mode=True), X(*shapes[0]))
    case(f"avgPool{d}d/none", lambda x: av(x, 2), X(0, *shapes[0][1:]))
    case(f"lpPool{d}d/plain", lambda x: lp(x, 2, 2), X(*shapes[0], low=0.1))
    case(f"lpPool{d}d/ceil", lambda x: lp(x, 3, 2, stride=3, ceil_mode=True), X(*shapes[0], low=0.1))
    case(f"adaptiveAvgPool{d}d/plain", lambda x: aa(x, 3), X(*shapes[0]))
    case(f"adaptiveAvgPool{d}d/one", lambda x: aa(x, 1), X(*shapes[1]))
    case(f"adaptiveMaxPool{d}d/plain", lambda x: am(x, 3), X(*shapes[0]))
    case(f"adaptiveMaxPool{d}d/indices", lambda x: am(x, 2, return_indices=True), X(*shapes[1]))
    un = getattr(F, f"max_unpool{d}d")
    count = 2**d

    def unpool(x, indices, un=un):
        return un(x, indices, 2)

    _, where = mx(torch.rand(1, 2, *([4] * d), generator=torch.Generator().manual_seed(1)), 2, return_indices=True)
    case(f"maxUnpool{d}d/plain", unpool, X(1, 2, *([2] * d)), I(where.tolist()))
    case(f"nn.MaxPool{d}d/plain", lambda x: mx(x, 3, stride=2, padding=1), X(*shapes[0]))
    case(f"nn.AvgPool{d}d/plain", lambda x: av(x, 2), X(*shapes[0]))
    case(f"nn.LPPool{d}d/plain", lambda x: lp(x, 2, 2), X(*shapes[0], low=0.1))
    case(f"nn.AdaptiveAvgPool{d}d/plain", lambda x: aa(x, 2), X(*shapes[1]))
    case(f"nn.AdaptiveMaxPool{d}d/plain", lambda x: am(x, 2), X(*shapes[1]))
    case(f"nn.MaxUnpool{d}d/plain", unpool, X(1, 2, *([2] * d)), I(where.tolist()))

case("maxPool2d/special", lambda x: F.max_pool2d(x, 2, stride=1, padding=1), D([[[nan, 1.0, -inf], [2.0, -inf, -inf], [inf, -inf, -inf]]]), grad=False)
case("maxPool2d/uneven", lambda x: F.max_pool2d(x, (3, 2), stride=(1, 3), padding=(1, 0), dilation=(2, 1)), X(1, 2, 7, 9))
case("avgPool2d/divisor", lambda x: F.avg_pool2d(x, (2, 3), stride=(2, 1), divisor_override=5), X(1, 2, 5, 6))
case("adaptiveAvgPool2d/keep", lambda x: F.adaptive_avg_pool2d(x, (2, None)), X(2, 2, 5, 4))
case("adaptiveAvgPool2d/grow", lambda x: F.adaptive_avg_pool2d(x, (7, 3)), X(1, 2, 5, 4))

write(__file__)
