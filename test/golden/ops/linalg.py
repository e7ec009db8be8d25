"""Factorisations, systems of equations, norms: linalg.json. See case.py.

Vectors of decompositions are unique only up to signs, so their cases compute what does not depend on them.
"""

from case import D, X, case, f64, inf, torch, write

L = torch.linalg


def well(x):
    """Far from singular."""
    return x + 6 * torch.eye(*x.shape[-2:], dtype=f64)


def spd(x):
    return x @ x.mT + torch.eye(x.shape[-1], dtype=f64)


def sym(x):
    return x + x.mT


def svd_parts(U, S, Vh):
    """Both projectors with weights, and a product of both sides."""
    k = S.shape[-1]
    w = torch.arange(1, k + 1, dtype=f64)
    return S, (U * w) @ U.mT, (Vh.mT * w) @ Vh, (U * w) @ Vh


def eigh_parts(w, V):
    return w, (V * torch.arange(1, w.shape[-1] + 1, dtype=f64)) @ V.mT


for name, shape in {"one": (1, 1), "matrix": (4, 4), "batch": (2, 3, 3), "noBatch": (0, 2, 2), "empty": (0, 0), "five": (5, 5)}.items():
    case(f"linalg.inv/{name}", lambda x: L.inv(well(x)), X(*shape))
    case(f"linalg.det/{name}", lambda x: L.det(x), X(*shape, low=-2, high=2))
    case(f"linalg.slogdet/{name}", lambda x: tuple(L.slogdet(well(x))), X(*shape))
    case(f"linalg.cholesky/{name}", lambda x: L.cholesky(spd(x)), X(*shape))
    case(f"linalg.eigvalsh/{name}", lambda x: L.eigvalsh(sym(x)), X(*shape))
case("linalg.cholesky/upper", lambda x: L.cholesky(spd(x), upper=True), X(2, 3, 3))
case("linalg.cholesky/triangle", lambda x: L.cholesky(x), D([[4.0, 99], [2, 3]]), grad=False)
case("linalg.det/kinkSingular", lambda x: L.det(x) + 1, D([[1.0, 2, 3], [2, 4, 6], [1, 0, 1]]))
case("linalg.slogdet/singular", lambda x: tuple(L.slogdet(x)), D([[1.0, 2], [2, 4]]), grad=False)

case("linalg.solve/matrix", lambda a, b: L.solve(well(a), b), X(3, 3), X(3, 2))
case("linalg.solve/vector", lambda a, b: L.solve(well(a), b), X(3, 3), X(3))
case("linalg.solve/vectors", lambda a, b: L.solve(well(a), b), X(2, 3, 3), X(2, 3))
case("linalg.solve/broadcast", lambda a, b: L.solve(well(a), b), X(2, 1, 3, 3), X(4, 3, 2))
case("linalg.solve/right", lambda a, b: L.solve(well(a), b, left=False), X(3, 3), X(2, 3))
case("linalg.solve/empty", lambda a, b: L.solve(a, b), X(0, 0), X(0, 2))
case("linalg.solve/noColumns", lambda a, b: L.solve(well(a), b), X(2, 2), X(2, 0))
for name, upper in {"lower": False, "upper": True}.items():
    case(f"linalg.solveTriangular/{name}", lambda a, b, u=upper: L.solve_triangular(well(a), b, upper=u), X(3, 3), X(3, 2))
    case(f"linalg.solveTriangular/{name}Unit", lambda a, b, u=upper: L.solve_triangular(a, b, upper=u, unitriangular=True), X(3, 3, low=-1, high=1), X(3, 2))
    case(f"linalg.solveTriangular/{name}Right", lambda a, b, u=upper: L.solve_triangular(well(a), b, upper=u, left=False), X(2, 3, 3), X(2, 3))
    case(f"choleskySolve/{name}", lambda b, a, u=upper: torch.cholesky_solve(b, L.cholesky(spd(a), upper=u), upper=u), X(3, 2), X(2, 3, 3))
case("linalg.solveTriangular/vector", lambda a, b: L.solve_triangular(well(a), b, upper=True), X(4, 4), X(4, 1))
for name, shape in {"square": (3, 3), "wide": (2, 4), "tall": (4, 2), "batch": (2, 3, 3), "empty": (0, 3)}.items():
    case(f"linalg.lu/{name}", lambda x: (lambda P, L, U: (P.long(), L, U))(*L.lu(x)), X(*shape))
    case(f"linalg.luFactor/{name}", lambda x: tuple(L.lu_factor(well(x))), X(*shape))
    case(f"linalg.qr/{name}", lambda x: tuple(L.qr(x)), X(*shape))
    case(f"linalg.pinv/{name}", lambda x: L.pinv(x), X(*shape))
    case(f"linalg.svdvals/{name}", L.svdvals, X(*shape))
    case(f"linalg.svd/{name}", lambda x: svd_parts(*L.svd(x, full_matrices=False)), X(*shape))


case("linalg.qr/completeWide", lambda x: tuple(L.qr(x, mode="complete")), X(2, 4))
case("linalg.qr/completeTall", lambda x: tuple(L.qr(x, mode="complete")), X(4, 2), grad=False)
case("linalg.qr/r", lambda x: L.qr(x, mode="r")[1], X(4, 3), grad=False)
case("linalg.svd/fullTall", lambda x: (lambda U, S, Vh: (S, U[:, :2] @ U[:, :2].mT, U[:, 2:] @ U[:, 2:].mT, Vh.mT @ Vh))(*L.svd(x)), X(4, 2), grad=False)
case("linalg.svd/fullWide", lambda x: (lambda U, S, Vh: (S, Vh[:2].mT @ Vh[:2], Vh[2:].mT @ Vh[2:], U.mT @ U))(*L.svd(x)), X(2, 4), grad=False)
case("linalg.svd/gradientOfS", lambda x: L.svd(x)[1], X(3, 4))
case("linalg.svdvals/kinkEqual", L.svdvals, D([[2.0, 0], [0, 2]]))
for name, shape in {"three": (3, 3), "batch": (2, 3, 3), "empty": (0, 0)}.items():
    case(f"linalg.eigh/{name}", lambda x: eigh_parts(*L.eigh(sym(x))), X(*shape))
case("linalg.eigh/upper", lambda x: L.eigh(x, UPLO="U")[0], D([[1.0, 2, 3], [99, 5, 6], [99, 99, 9]]), grad=False)
case("linalg.eigh/lower", lambda x: L.eigh(x)[0], D([[1.0, 99, 99], [2, 5, 99], [3, 6, 9]]), grad=False)
case("linalg.eigvalsh/kinkEqual", lambda x: L.eigvalsh(sym(x)), D([[1.0, 0], [0, 1]]))
case("linalg.pinv/deficient", lambda x, y: L.pinv(x @ y), X(4, 2), X(2, 3))
case("linalg.pinv/rtol", lambda x: L.pinv(x, rtol=0.5), D([[4.0, 0], [0, 1]]))
case("linalg.pinv/hermitian", lambda x: L.pinv(sym(x), hermitian=True), X(3, 3))
case("linalg.matrixRank/batch", lambda x: L.matrix_rank(x), D([[[1.0, 2], [2, 4]], [[1, 2], [3, 4]], [[0, 0], [0, 0]]]))
case("linalg.matrixRank/atol", lambda x: L.matrix_rank(x, atol=0.5), D([[1.0, 0, 0], [0, 0.25, 0]]))
case("linalg.matrixRank/hermitian", lambda x: L.matrix_rank(x, hermitian=True), D([[1.0, 1], [1, 1]]))
case("linalg.matrixRank/empty", lambda x: L.matrix_rank(x), X(2, 0, 3))


def lstsq(a, b):
    """Solution, squared distances where there are any, rank, as Thalweg gives them."""
    column = b.unsqueeze(-1) if b.ndim == a.ndim - 1 else b
    x = L.pinv(a) @ column
    far = [(a @ x - column).square().sum(-2)] if a.shape[-2] > a.shape[-1] else []
    torch.testing.assert_close(x, L.lstsq(a, column.expand(*a.shape[:-1], column.shape[-1]), driver="gelsd").solution.reshape(x.shape))
    return [x.squeeze(-1) if column is not b else x, *far, L.matrix_rank(a)]


case("linalg.lstsq/tall", lstsq, X(5, 3), X(5, 2))
case("linalg.lstsq/wide", lstsq, X(2, 4), X(2, 3))
case("linalg.lstsq/square", lstsq, X(3, 3), X(3, 1))
case("linalg.lstsq/vector", lstsq, X(4, 2), X(4))
case("linalg.lstsq/batch", lstsq, X(2, 4, 2), X(2, 4, 3))
case("linalg.lstsq/deficient", lambda x, y, b: lstsq(x @ y, b), X(5, 2), X(2, 3), X(5, 2))

def cond(x, ord):
    """torch.linalg.cond changes the inverse in place, which its own backward refuses."""
    result = L.matrix_norm(x, ord) * L.matrix_norm(L.inv(x), ord)
    torch.testing.assert_close(result.detach(), L.cond(x.detach(), ord))
    return result


ORDERS = {"fro": "fro", "nuc": "nuc", "one": 1, "minusOne": -1, "two": 2, "minusTwo": -2, "infinity": inf, "minusInfinity": -inf}
for name, ord in ORDERS.items():
    case(f"linalg.matrixNorm/{name}", lambda x, o=ord: L.matrix_norm(x, o), X(2, 3, 4))
    case(f"linalg.cond/{name}", lambda x, o=ord: cond(well(x), o), X(3, 3))
case("linalg.matrixNorm/keep", lambda x: L.matrix_norm(x, 2, dim=(0, 2), keepdim=True), X(3, 2, 4))
case("linalg.matrixNorm/dims", lambda x: L.matrix_norm(x, 1, dim=(2, 0)), X(3, 2, 4))
case("linalg.matrixNorm/kinkZero", lambda x: L.matrix_norm(x), torch.zeros(2, 2, dtype=f64))
case("linalg.cond/wide", lambda x: L.cond(x), X(2, 4))

write(__file__)
