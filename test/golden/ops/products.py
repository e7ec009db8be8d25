"""Products of vectors and matrices, distances: products.json. See case.py."""

from case import D, F, I, X, case, f64, i32, inf, nan, torch, write

case("mm/matrix", torch.mm, X(3, 4), X(4, 2))
case("mm/empty", torch.mm, X(2, 0), X(0, 3))
case("mm/int64", torch.mm, I([[1, 2], [3, 2**40]]), I([[5, -6], [7, 8]]))
case("bmm/batch", torch.bmm, X(2, 3, 4), X(2, 4, 2))
case("bmm/noBatch", torch.bmm, X(0, 3, 4), X(0, 4, 2))
case("mv/matrix", torch.mv, X(3, 4), X(4))
case("mv/empty", torch.mv, X(3, 0), X(0))
for name in ("dot", "vdot"):
    fn = getattr(torch, name)
    case(f"{name}/vectors", fn, X(5), X(5))
    case(f"{name}/empty", fn, X(0), X(0))
case("dot/int32", torch.dot, I([1, 2, 3], i32), I([4, -5, 6], i32))
case("inner/vectors", torch.inner, X(5), X(5))
case("inner/matrices", torch.inner, X(2, 3), X(2, 4, 3))
case("inner/scalar", torch.inner, X(2, 3), X())
case("inner/empty", torch.inner, X(2, 0), X(3, 0))
for name in ("outer", "ger"):
    case(f"{name}/vectors", getattr(torch, name), X(3), X(4))
case("outer/empty", torch.outer, X(3), X(0))
case("outer/int64", torch.outer, I([1, 2]), I([3, 4, 5]))
PRODUCTS = {
    "addmm": (torch.addmm, (3, 2), (3, 4), (4, 2)),
    "addmv": (torch.addmv, (3,), (3, 4), (4,)),
    "addbmm": (torch.addbmm, (3, 2), (2, 3, 4), (2, 4, 2)),
    "baddbmm": (torch.baddbmm, (2, 3, 2), (2, 3, 4), (2, 4, 2)),
    "addr": (torch.addr, (3, 2), (3,), (2,)),
}
for name, (fn, x, a, b) in PRODUCTS.items():
    case(f"{name}/plain", fn, X(*x), X(*a), X(*b))
    case(f"{name}/factors", lambda x, a, b, fn=fn: fn(x, a, b, beta=0.5, alpha=-2), X(*x), X(*a), X(*b))
    case(f"{name}/broadcast", fn, X(1), X(*a), X(*b))
    case(f"{name}/noInput", lambda x, a, b, fn=fn: fn(x, a, b, beta=0, alpha=2), D([nan]), X(*a), X(*b), grad=False)
case("addmm/int64", lambda x, a, b: torch.addmm(x, a, b, beta=2, alpha=3), I([[1, 2], [3, 4]]), I([[1, 2], [3, 4]]), I([[5, 6], [7, 8]]))
case("addmm/empty", torch.addmm, X(2, 3), X(2, 0), X(0, 3))

EINSUM = {
    "matmul": ("ij,jk->ik", (3, 4), (4, 2)),
    "implicit": ("ij,jk", (3, 4), (4, 2)),
    "implicitTranspose": ("ba", (3, 4)),
    "capitals": ("bA,Ac", (2, 3), (3, 2)),
    "transpose": ("ij->ji", (3, 4)),
    "identity": ("ij->ij", (3, 4)),
    "trace": ("ii", (3, 3)),
    "diagonal": ("ii->i", (3, 3)),
    "batchDiagonal": ("bii->ib", (2, 3, 3)),
    "cube": ("iii->i", (3, 3, 3)),
    "noDiagonal": ("ii->i", (0, 0)),
    "sum": ("ij->", (3, 4)),
    "columns": ("ij->j", (3, 4)),
    "dot": ("i,i", (5,), (5,)),
    "outer": ("i,j->ij", (3,), (4,)),
    "hadamard": ("ij,ij->ij", (3, 4), (3, 4)),
    "hadamardTransposed": ("ij,ji->ij", (3, 4), (4, 3)),
    "batch": ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
    "attention": ("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 5, 2, 4)),
    "batchLast": ("ijb,jkb->bik", (3, 4, 2), (4, 2, 2)),
    "summedAlone": ("ij,kl->il", (2, 3), (4, 2)),
    "bilinear": ("bi,oij,bj->bo", (3, 2), (4, 2, 3), (3, 3)),
    "chain": ("ij,jk,kl,lm->im", (2, 3), (3, 4), (4, 2), (2, 3)),
    "six": ("a,ab,bc,cd,de,e->", (2,), (2, 3), (3, 2), (2, 2), (2, 3), (3,)),
    "threeShared": ("i,i,i->i", (4,), (4,), (4,)),
    "ellipsis": ("...ij,...jk->...ik", (2, 3, 4), (4, 2)),
    "ellipsisBroadcast": ("...ij,...jk->...ik", (2, 1, 3, 2), (3, 2, 2)),
    "ellipsisImplicit": ("...ij,jk", (2, 3, 4), (4, 2)),
    "ellipsisMiddle": ("i...j->...i", (2, 3, 4)),
    "ellipsisSummed": ("i...->i", (2, 3, 4)),
    "ellipsisDiagonal": ("...ii->...i", (2, 3, 3)),
    "ellipsisNone": ("...i,...i->...", (3,), (3,)),
    "one": ("ij,jk->ik", (3, 1), (4, 2)),
    "oneKept": ("ij,ij->ij", (1, 4), (3, 1)),
    "spaces": (" i j , j k -> i k ", (3, 4), (4, 2)),
    "scalar": (",i->i", (), (3,)),
    "empty": ("ij,jk->ik", (3, 0), (0, 2)),
    "noRows": ("ij,jk->ik", (0, 3), (3, 2)),
}
for name, (equation, *shapes) in EINSUM.items():
    case(f"einsum/{name}", lambda *xs, eq=equation: torch.einsum(eq, *xs), *[X(*shape) for shape in shapes])
case("einsum/same", lambda x: torch.einsum("ij,kj->ik", x, x), X(3, 4))
case("einsum/int64", lambda a, b: torch.einsum("ij,jk->ik", a, b), I([[1, 2], [3, 4]]), I([[5, 6], [7, 8]]))

case("tensordot/two", torch.tensordot, X(2, 3, 4), X(3, 4, 2))
case("tensordot/one", lambda a, b: torch.tensordot(a, b, 1), X(2, 3), X(3, 4))
case("tensordot/none", lambda a, b: torch.tensordot(a, b, 0), X(2), X(3))
case("tensordot/lists", lambda a, b: torch.tensordot(a, b, dims=([1, 0], [0, -1])), X(2, 3, 4), X(3, 5, 2))
case("tensordot/one1", lambda a, b: torch.tensordot(a, b, dims=([1], [0])), X(2, 1), X(3, 4))
case("tensordot/all", lambda a, b: torch.tensordot(a, b, 2), X(2, 3), X(2, 3))
case("bilinear/bias", F.bilinear, X(3, 2), X(3, 4), X(5, 2, 4), X(5))
case("bilinear/noBias", F.bilinear, X(2, 3, 2), X(2, 3, 4), X(3, 2, 4))
case("bilinear/vectors", F.bilinear, X(2), X(3), X(2, 2, 3), X(2))
case("kron/matrices", torch.kron, X(2, 3), X(3, 2))
case("kron/vectors", torch.kron, X(2), X(3))
case("kron/ranks", torch.kron, X(2), X(2, 1, 3))
case("kron/scalar", torch.kron, X(), X(2, 2))
case("kron/empty", torch.kron, X(0, 2), X(2, 2))
case("kron/int64", torch.kron, I([[1, 2]]), I([[3], [4]]))
case("trace/square", torch.trace, X(3, 3))
case("trace/wide", torch.trace, X(2, 4))
case("trace/tall", torch.trace, X(4, 2))
case("trace/empty", torch.trace, X(0, 3))
case("trace/int32", torch.trace, I([[1, 2], [3, 4]], i32))
case("cross/vectors", torch.linalg.cross, X(3), X(3))
case("cross/batch", torch.linalg.cross, X(2, 3), X(2, 3))
case("cross/dim", lambda a, b: torch.linalg.cross(a, b, dim=0), X(3, 2), X(3, 1))
case("cross/empty", torch.linalg.cross, X(0, 3), X(0, 3))
# torch.vander itself has no backward.
case("vander/square", lambda x: torch.linalg.vander(x).flip(-1), X(4))
case("vander/increasing", lambda x: torch.linalg.vander(x, N=3), X(4))
case("vander/one", lambda x: torch.vander(x, 1), X(2), grad=False)
case("vander/int64", lambda x: torch.vander(x, 4), I([1, 2, 3, 1000]))
case("vander/none", lambda x: torch.vander(x, 0), X(3), grad=False)
case("matrixPower/three", lambda x: torch.matrix_power(x, 3), X(2, 3, 3))
case("matrixPower/six", lambda x: torch.matrix_power(x, 6), X(3, 3, low=-1, high=1))
case("matrixPower/one", lambda x: torch.matrix_power(x, 1), X(3, 3))
case("matrixPower/zero", lambda x: torch.matrix_power(x, 0), X(2, 2, 2), grad=False)
case("matrixPower/negative", lambda x: torch.matrix_power(x + 6 * torch.eye(3, dtype=f64), -2), X(3, 3))

for name, p in {"zero": 0, "half": 0.5, "one": 1, "oneAndHalf": 1.5, "two": 2, "three": 3, "infinity": inf}.items():
    case(f"cdist/{name}", lambda a, b, p=p: torch.cdist(a, b, p=p), X(3, 4), X(2, 4))
    case(f"pdist/{name}", lambda x, p=p: F.pdist(x, p), X(4, 3))
    if p > 0:
        case(f"pairwiseDistance/{name}", lambda a, b, p=p: F.pairwise_distance(a, b, p=p), X(3, 4), X(3, 4))
case("cdist/batch", torch.cdist, X(2, 3, 4), X(2, 2, 4))
case("cdist/broadcast", torch.cdist, X(2, 1, 3, 2), X(3, 2, 2))
case("cdist/product", lambda a, b: torch.cdist(a, b, compute_mode="use_mm_for_euclid_dist"), X(3, 4), X(2, 4))
case("cdist/productBatch", lambda a, b: torch.cdist(a, b, compute_mode="use_mm_for_euclid_dist"), X(2, 3, 4), X(2, 4))
case("cdist/kinkTwo", torch.cdist, D([[1.0, 2], [3, 4]]), D([[1.0, 2], [0, 4]]))
case("cdist/kinkOne", lambda a, b: torch.cdist(a, b, p=1), D([[1.0, 2], [3, 4]]), D([[1.0, 2], [0, 4]]))
case("cdist/kinkThree", lambda a, b: torch.cdist(a, b, p=3), D([[1.0, 2], [3, 4]]), D([[1.0, 2], [0, 4]]))
case("cdist/noColumns", torch.cdist, X(3, 0), X(2, 0), grad=False)
case("cdist/noRows", torch.cdist, X(0, 3), X(2, 3), grad=False)
case("pairwiseDistance/keep", lambda a, b: F.pairwise_distance(a, b, keepdim=True), X(2, 3, 2), X(2, 3, 2))
case("pairwiseDistance/broadcast", lambda a, b: F.pairwise_distance(a, b, eps=0.5), X(3, 4), X(4))
case("pairwiseDistance/vectors", F.pairwise_distance, X(4), X(4))
case("cosineSimilarity/rows", F.cosine_similarity, X(3, 4), X(3, 4))
case("cosineSimilarity/dim", lambda a, b: F.cosine_similarity(a, b, dim=0), X(3, 4), X(3, 1))
# The gradient of a clamped norm is zero here, which PyTorch leaves out.
case("cosineSimilarity/eps", lambda a, b: F.cosine_similarity(a, b, dim=-1, eps=5.0), X(3, 4), X(3, 4), grad=False)
case("cosineSimilarity/zero", F.cosine_similarity, D([[0.0, 0], [1, 2]]), D([[1.0, 2], [2, 1]]), grad=False)
case("nn.CosineSimilarity/rows", lambda a, b: F.cosine_similarity(a, b), X(3, 4), X(3, 4))
case("nn.PairwiseDistance/rows", lambda a, b: F.pairwise_distance(a, b, p=1.5), X(3, 4), X(3, 4))
case("nn.Bilinear/rows", lambda x, w, b, y: F.bilinear(x, y, w.detach(), b.detach()), X(3, 2), X(5, 2, 4), X(5), X(3, 4))

write(__file__)
