// Factorisations, systems of equations and determinants of batches of matrices. Items are worked on in parallel, each
// on a copy in scratch memory; matrix products inside a single large one use all threads.
#include "cpu/linalg_eigh.h"
#include "cpu/linalg_lu.h"
#include "cpu/linalg_svd.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

double cube(int64_t a, int64_t b, int64_t c) {
  return static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
}

// int64 numbers in the buffers of T.
template <class T>
int64_t* takeIndices(Buffers<T>& buffers, int64_t count) {
  constexpr int64_t ratio = static_cast<int64_t>(sizeof(int64_t) / sizeof(T));
  return reinterpret_cast<int64_t*>(buffers.take(count * ratio));
}
constexpr int64_t kIndexRoom = 2;  // elements of the smaller T for each index

// Factors one item, for a determinant: the product of U's diagonal and the sign of the permutation, or sign and
// logarithm.
template <class T>
void determinant(const T* lu, const int64_t* pivots, int64_t n, T* det, T* sign, T* logabs) {
  T product = static_cast<T>(permutationSign(pivots, n));
  T s = product, logarithm = 0;
  for (int64_t i = 0; i < n; i++) {
    const T u = lu[i * n + i];
    product *= u;
    s *= u > 0 ? T(1) : u < 0 ? T(-1) : u;
    logarithm += static_cast<T>(__builtin_log(static_cast<double>(magnitude(u))));
  }
  *det = product;
  *sign = s;
  *logabs = logarithm;
}

// det(x) x^-T by way of the singular value decomposition: det(U) det(V) U diag(products of the others) V^T. The buffers
// have room for 4 n^2 elements, those of svd and of luFactor. Returns false if x is not finite.
template <class T>
bool cofactorsOfSingular(ThreadPool& pool, T* x, int64_t n, T* out, int64_t* pivots, T* copy, T* space,
                         Buffers<T>& buffers) {
  T* left = buffers.take(n * n);
  T* right = buffers.take(n * n);
  T* values = buffers.take(n);
  T* others = buffers.take(n);
  if (!svd(x, n, n, left, n, values, right, buffers)) return false;
  T orientation = 1;
  for (const T* basis : {left, right}) {
    for (int64_t i = 0; i < n * n; i++) copy[i] = basis[i];
    luFactor(pool, copy, n, n, pivots, space);
    T det, sign, logabs;
    determinant(copy, pivots, n, &det, &sign, &logabs);
    orientation *= sign;
  }
  for (int64_t i = 0; i < n; i++) {
    others[i] = orientation;
    for (int64_t j = 0; j < n; j++)
      if (j != i) others[i] *= values[j];
  }
  for (int64_t r = 0; r < n; r++)
    for (int64_t c = 0; c < n; c++) out[r * n + c] = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t r = 0; r < n; r++) addScaled(out + r * n, right + i * n, left[i * n + r] * others[i], n);
  return true;
}

}  // namespace

void linalgLu(Context& ctx, const TensorView& lu, const TensorView& pivots, const TensorView& permutation,
              const TensorView& x, bool check) {
  const char* op = check ? "linalg.luFactor" : "linalg.lu";
  checkMatrix(op, "x", x);
  const int64_t m = rowsOf(x), n = columnsOf(x), k = m < n ? m : n;
  checkMatrixLike(op, "lu", lu, x, m, n);
  checkVectorLike(op, "pivots", pivots, DType::Int32, x, k);
  checkVectorLike(op, "permutation", permutation, DType::Int32, x, m);
  FirstFailure failure(k);
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    forBatch(ctx, batchOf(x, 2), cube(m, n, k), [&](int64_t b) {
      Buffers<T> buffers(m * n + blockSpace(m, n) + kIndexRoom * (m + k));
      int64_t* swaps = takeIndices(buffers, k);
      int64_t* order = takeIndices(buffers, m);
      T* a = buffers.take(m * n);
      T* space = buffers.take(blockSpace(m, n));
      loadMatrix(a, x, b);
      const int64_t zero = luFactor(ctx.pool, a, m, n, swaps, space);
      if (zero != 0 && check) failure.report(b, zero);
      storeMatrix(lu, b, a, n, 1);
      for (int64_t i = 0; i < m; i++) order[i] = i;
      for (int64_t j = 0; j < k; j++) {
        const int64_t swapped = order[j];
        order[j] = order[swaps[j]];
        order[swaps[j]] = swapped;
        swaps[j]++;
      }
      storeVector<int32_t>(pivots, b, swaps);
      storeVector<int32_t>(permutation, b, order);
    });
  });
  char where[64];
  if (failure.happened())
    fail(ErrorKind::LinAlg,
         "%s: %sU[%lld,%lld] is zero and using it to solve would result in a division by zero; linalg.lu(x) gives the "
         "factors all the same",
         op, failure.where(where, x), static_cast<long long>(failure.step()), static_cast<long long>(failure.step()));
}

void linalgDet(Context& ctx, const OptionalTensor& det, const OptionalTensor& sign, const OptionalTensor& logabs,
               const TensorView& x) {
  const char* op = det.defined ? "linalg.det" : "linalg.slogdet";
  checkSquare(op, "x", x);
  const int64_t n = rowsOf(x);
  const OptionalTensor* outs[3] = {&det, &sign, &logabs};
  const char* names[3] = {"det", "sign", "logabs"};
  for (int i = 0; i < 3; i++)
    if (outs[i]->defined) checkLike(op, names[i], *outs[i], x.dtype, x, nullptr, 0);
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    forBatch(ctx, batchOf(x, 2), cube(n, n, n), [&](int64_t b) {
      Buffers<T> buffers(n * n + blockSpace(n, n) + kIndexRoom * n);
      int64_t* swaps = takeIndices(buffers, n);
      T* a = buffers.take(n * n);
      T* space = buffers.take(blockSpace(n, n));
      loadMatrix(a, x, b);
      luFactor(ctx.pool, a, n, n, swaps, space);
      T values[3];
      determinant(a, swaps, n, &values[0], &values[1], &values[2]);
      for (int i = 0; i < 3; i++)
        if (outs[i]->defined) *itemOf<T>(*outs[i], 0, b) = values[i];
    });
  });
}

void linalgCofactors(Context& ctx, const TensorView& out, const TensorView& x) {
  const char* op = "linalg.det";
  checkSquare(op, "x", x);
  const int64_t n = rowsOf(x);
  checkMatrixLike(op, "out", out, x, n, n);
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    forBatch(ctx, batchOf(x, 2), 4 * cube(n, n, n), [&](int64_t b) {
      const int64_t needed = 5 * n * n + blockSpace(n, n) + (kIndexRoom + 3) * n + svdSpace(n, n, n);
      Buffers<T> buffers(needed);
      int64_t* swaps = takeIndices(buffers, n);
      T* a = buffers.take(n * n);
      T* result = buffers.take(n * n);
      T* space = buffers.take(blockSpace(n, n));
      loadMatrix(a, x, b);
      luFactor(ctx.pool, a, n, n, swaps, space);
      T det, sign, logabs, small = n == 0 ? T(1) : magnitude(a[0]), large = small;
      determinant(a, swaps, n, &det, &sign, &logabs);
      for (int64_t i = 1; i < n; i++) {
        const T u = magnitude(a[i * n + i]);
        if (u < small) small = u;
        if (u > large) large = u;
      }
      bool done = false;
      if (!(small > 16 * static_cast<T>(n) * kEpsilon<T> * large)) {
        T* copy = buffers.take(n * n);
        T* factors = buffers.take(n * n);
        loadMatrix(copy, x, b, true);
        done = cofactorsOfSingular(ctx.pool, copy, n, result, swaps, factors, space, buffers);
        if (done) storeMatrix(out, b, result, n, 1);
      }
      if (!done) {
        for (int64_t i = 0; i < n; i++)
          for (int64_t j = 0; j < n; j++) result[i * n + j] = i == j ? det : T(0);
        luSolve(ctx.pool, n, n, a, swaps, result, space);
        storeMatrix(out, b, result, 1, n);
      }
    });
  });
}

void linalgSolve(Context& ctx, const TensorView& out, const TensorView& a, const OptionalTensor& b) {
  const char* op = b.defined ? "linalg.solve" : "linalg.inv";
  checkSquare(op, "a", a);
  const int64_t n = rowsOf(a);
  if (b.defined) checkMatrix(op, "b", b);
  const int64_t k = b.defined ? columnsOf(b) : n;
  checkMatrixLike(op, "out", out, a, n, k);
  if (b.defined) checkMatrixLike(op, "b", b, a, n, k);
  FirstFailure failure(n);
  withFloat(a.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    forBatch(ctx, batchOf(a, 2), cube(n, n, n + k), [&](int64_t item) {
      Buffers<T> buffers(n * n + n * k + blockSpace(n, k) + kIndexRoom * n);
      int64_t* swaps = takeIndices(buffers, n);
      T* lu = buffers.take(n * n);
      T* x = buffers.take(n * k);
      T* space = buffers.take(blockSpace(n, k));
      loadMatrix(lu, a, item);
      const int64_t zero = luFactor(ctx.pool, lu, n, n, swaps, space);
      if (zero != 0) {
        failure.report(item, zero);
        return;
      }
      if (b.defined) {
        loadMatrix(x, b, item);
      } else {
        for (int64_t i = 0; i < n; i++)
          for (int64_t j = 0; j < n; j++) x[i * n + j] = i == j;
      }
      luSolve(ctx.pool, n, k, lu, swaps, x, space);
      storeMatrix(out, item, x, k, 1);
    });
  });
  char where[64];
  if (failure.happened())
    fail(ErrorKind::LinAlg,
         "%s: %sThe diagonal element %lld is zero, the %s could not be completed because the input matrix is singular",
         op, failure.where(where, a), static_cast<long long>(failure.step()), b.defined ? "solution" : "inversion");
}

void linalgSolveTriangular(Context& ctx, const TensorView& out, const TensorView& a, const TensorView& b, bool upper,
                           bool unit) {
  const char* op = "linalg.solveTriangular";
  checkSquare(op, "a", a);
  checkMatrix(op, "b", b);
  const int64_t n = rowsOf(a), k = columnsOf(b);
  checkMatrixLike(op, "b", b, a, n, k);
  checkMatrixLike(op, "out", out, a, n, k);
  withFloat(a.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    forBatch(ctx, batchOf(a, 2), cube(n, n, k), [&](int64_t item) {
      Buffers<T> buffers(n * n + n * k + blockSpace(n, k));
      T* factor = buffers.take(n * n);
      T* x = buffers.take(n * k);
      T* space = buffers.take(blockSpace(n, k));
      loadMatrix(factor, a, item);
      loadMatrix(x, b, item);
      solveTriangular(ctx.pool, upper, unit, n, k, factor, x, space);
      storeMatrix(out, item, x, k, 1);
    });
  });
}

void linalgCholesky(Context& ctx, const TensorView& out, const TensorView& x) {
  const char* op = "linalg.cholesky";
  checkSquare(op, "x", x);
  const int64_t n = rowsOf(x);
  checkMatrixLike(op, "out", out, x, n, n);
  FirstFailure failure(n);
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    forBatch(ctx, batchOf(x, 2), cube(n, n, n), [&](int64_t b) {
      Buffers<T> buffers(n * n + blockSpace(n, n));
      T* a = buffers.take(n * n);
      T* space = buffers.take(blockSpace(n, n));
      loadMatrix(a, x, b);
      const int64_t order = choleskyFactor(ctx.pool, a, n, space);
      if (order != 0)
        failure.report(b, order);
      else
        storeMatrix(out, b, a, n, 1);
    });
  });
  char where[64];
  if (failure.happened())
    fail(ErrorKind::LinAlg,
         "%s: %sThe factorization could not be completed because the input is not positive-definite (the leading minor "
         "of "
         "order %lld is not positive-definite)",
         op, failure.where(where, x), static_cast<long long>(failure.step()));
}

void linalgQr(Context& ctx, const OptionalTensor& q, const TensorView& r, const TensorView& x) {
  const char* op = "linalg.qr";
  checkMatrix(op, "x", x);
  const int64_t m = rowsOf(x), n = columnsOf(x), k = m < n ? m : n;
  const bool complete = q.defined && q.ndim >= 2 && columnsOf(q) == m;
  const int64_t columns = complete ? m : k;
  if (q.defined) checkMatrixLike(op, "q", q, x, m, columns);
  checkMatrixLike(op, "r", r, x, columns, n);
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    forBatch(ctx, batchOf(x, 2), cube(m, n, k), [&](int64_t b) {
      const int64_t larger = columns > n ? columns : n;
      Buffers<T> buffers(m * n + k + larger * m);
      T* a = buffers.take(m * n);
      T* tau = buffers.take(k);
      T* result = buffers.take(larger * m);
      loadMatrix(a, x, b, true);
      qrFactor(a, m, n, tau);
      for (int64_t i = 0; i < columns; i++)
        for (int64_t j = 0; j < n; j++) result[i * n + j] = j < i ? T(0) : a[j * m + i];
      storeMatrix(r, b, result, n, 1);
      if (!q.defined) return;
      for (int64_t i = 0; i < columns; i++) columnOfQ(a, tau, m, k, i, result + i * m);
      storeMatrix(q, b, result, 1, m);
    });
  });
}

void linalgSvd(Context& ctx, const OptionalTensor& u, const TensorView& s, const OptionalTensor& vh,
               const TensorView& x) {
  const char* op = u.defined ? "linalg.svd" : "linalg.svdvals";
  const auto [m, n, k, l, vectors, wide, columns] = checkSvd(op, u, s, vh, x);
  FirstFailure failure(1);
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    forBatch(ctx, batchOf(x, 2), 20 * cube(l, k, k), [&](int64_t b) {
      Buffers<T> buffers(svdSpace(l, k, columns));
      T* a = buffers.take(l * k);
      T* values = buffers.take(k);
      T* left = vectors ? buffers.take(l * columns) : nullptr;
      T* right = vectors ? buffers.take(k * k) : nullptr;
      // A wide matrix is worked on as its transpose.
      loadMatrix(a, x, b, !wide);
      if (!svd(a, l, k, left, columns, values, right, buffers)) {
        failure.report(b, 1);
        return;
      }
      storeVector<T>(s, b, values);
      if (!vectors) return;
      if (wide) {
        storeMatrix(u, b, right, 1, k);
        storeMatrix(vh, b, left, l, 1);
      } else {
        storeMatrix(u, b, left, 1, l);
        storeMatrix(vh, b, right, k, 1);
      }
    });
  });
  char where[64];
  if (failure.happened())
    fail(ErrorKind::LinAlg,
         "%s: %sThe algorithm failed to converge because the input matrix contained non-finite values", op,
         failure.where(where, x));
}

void linalgEigh(Context& ctx, const TensorView& w, const OptionalTensor& v, const TensorView& x, bool upper) {
  const char* op = v.defined ? "linalg.eigh" : "linalg.eigvalsh";
  checkSquare(op, "x", x);
  const int64_t n = rowsOf(x);
  checkVectorLike(op, "w", w, x.dtype, x, n);
  if (v.defined) checkMatrixLike(op, "v", v, x, n, n);
  FirstFailure failure(2);
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    forBatch(ctx, batchOf(x, 2), 8 * cube(n, n, n), [&](int64_t b) {
      Buffers<T> buffers(eighSpace(n, v.defined));
      T* a = buffers.take(n * n);
      T* d = buffers.take(n);
      T* z = v.defined ? buffers.take(n * n) : nullptr;
      loadMatrix(a, x, b, upper);
      for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++) a[i * n + j] = a[j * n + i];
      const int64_t reason = eigh(a, n, d, z, buffers);
      if (reason != 0) {
        failure.report(b, reason);
        return;
      }
      storeVector<T>(w, b, d);
      if (z) storeMatrix(v, b, z, 1, n);
    });
  });
  char where[64];
  if (failure.happened())
    fail(ErrorKind::LinAlg, "%s: %sThe algorithm failed to converge because the input matrix %s", op,
         failure.where(where, x),
         failure.step() == 1 ? "contained non-finite values" : "has too many repeated eigenvalues");
}

}  // namespace thalweg::cpu::THALWEG_ISA
