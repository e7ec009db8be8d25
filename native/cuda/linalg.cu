// Factorisations by elimination, systems of equations and determinants of batches of matrices.
#include "cuda/linalg_lu.h"
#include "cuda/linalg_svd.h"

namespace thalweg::cuda {
namespace {

double square(int64_t n) { return static_cast<double>(n) * static_cast<double>(paddedRow(n)); }

template <class T>
__global__ void __launch_bounds__(kMostThreads, 1)
    luKernel(Plan<T> plan, Matrices<T> lu, Vectors<int32_t> pivots, Vectors<int32_t> permutation, Matrices<const T> x,
             bool check) {
  __shared__ Shared<T> shared;
  const Team<T> team(shared, plan.lanes);
  const int m = x.rows, n = x.columns, k = m < n ? m : n;
  const int64_t ld = paddedRow(n);
  for (int64_t item = blockIdx.x; item < plan.count; item += gridDim.x) {
    THALWEG_SPACE(T, space, plan);
    T* a = space.take(m * ld);
    int *swaps = space.takeInts(k), *order = space.takeInts(m);
    loadMatrix(team, a, ld, 1, x, item);
    for (int i = team.thread; i < m; i += team.threads) order[i] = i;
    __syncthreads();
    const int zero = luFactor(team, a, ld, m, n, swaps);
    __syncthreads();
    if (zero != 0 && check && team.thread == 0) plan.report(item, zero, k);
    storeMatrix(team, lu, item, a, ld, 1);
    if (team.thread == 0)
      for (int j = 0; j < k; j++) {
        const int swapped = order[j];
        order[j] = order[swaps[j]];
        order[swaps[j]] = swapped;
      }
    __syncthreads();
    int32_t *ofPivots = pivots.item(item), *ofOrder = permutation.item(item);
    for (int j = team.thread; j < k; j += team.threads) ofPivots[j * pivots.stride] = swaps[j] + 1;
    for (int i = team.thread; i < m; i += team.threads) ofOrder[i * permutation.stride] = order[i];
    __syncthreads();
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads, 1)
    detKernel(Plan<T> plan, Vectors<T> det, Vectors<T> sign, Vectors<T> logabs, Matrices<const T> x) {
  __shared__ Shared<T> shared;
  const Team<T> team(shared, plan.lanes);
  const int n = x.rows;
  const int64_t ld = paddedRow(n);
  for (int64_t item = blockIdx.x; item < plan.count; item += gridDim.x) {
    THALWEG_SPACE(T, space, plan);
    T* a = space.take(n * ld);
    int* swaps = space.takeInts(n);
    loadMatrix(team, a, ld, 1, x, item);
    __syncthreads();
    luFactor(team, a, ld, n, n, swaps);
    __syncthreads();
    if (team.thread == 0) {
      T ofDet, ofSign, ofLogabs;
      determinant(a, ld, swaps, n, ofDet, ofSign, ofLogabs);
      if (det.data) *det.item(item) = ofDet;
      if (sign.data) *sign.item(item) = ofSign;
      if (logabs.data) *logabs.item(item) = ofLogabs;
    }
    __syncthreads();
  }
}

// The sign of the determinant of an orthogonal matrix, whose rows become something else. The block agrees.
template <class T>
__device__ T orientationOf(const Team<T>& team, T* basis, int64_t ld, int n, int* swaps) {
  luFactor(team, basis, ld, n, n, swaps);
  __syncthreads();
  if (team.thread == 0) {
    T det, sign, logabs;
    determinant(basis, ld, swaps, n, det, sign, logabs);
    team.shared.values[0] = sign;
  }
  __syncthreads();
  const T sign = team.shared.values[0];
  __syncthreads();
  return sign;
}

// det(x) x^-T: from the factors of x, or, where those tell too little, by way of the singular value decomposition:
// det(U) det(V) U diag(products of the others) V^T.
template <class T>
__global__ void __launch_bounds__(kMostThreads, 1) cofactorsKernel(Plan<T> plan, Matrices<T> out, Matrices<const T> x) {
  __shared__ Shared<T> shared;
  const Team<T> team(shared, plan.lanes);
  const int n = x.rows;
  const int64_t ld = paddedRow(n);
  for (int64_t item = blockIdx.x; item < plan.count; item += gridDim.x) {
    THALWEG_SPACE(T, space, plan);
    T *a = space.take(n * ld), *result = space.take(n * ld);
    int* swaps = space.takeInts(n);
    loadMatrix(team, a, ld, 1, x, item);
    __syncthreads();
    luFactor(team, a, ld, n, n, swaps);
    __syncthreads();
    if (team.thread == 0) {
      T det, sign, logabs, small = magnitude(a[0]), large = small;
      determinant(a, ld, swaps, n, det, sign, logabs);
      for (int i = 1; i < n; i++) {
        const T u = magnitude(a[i * ld + i]);
        if (u < small) small = u;
        if (u > large) large = u;
      }
      shared.values[0] = det;
      shared.numbers[0] = !(small > 16 * static_cast<T>(n) * kEpsilon<T> * large);
    }
    __syncthreads();
    const T det = shared.values[0];
    bool done = shared.numbers[0] != 0;
    __syncthreads();
    if (done) {
      // Columns lie contiguously for the decomposition; its vectors, too.
      T *copy = space.take(n * ld), *left = space.take(n * ld), *right = space.take(n * ld);
      T *values = space.take(n), *others = space.take(n);
      const SvdSpace<T> ofSvd(space, n, true);
      int* const moreSwaps = reinterpret_cast<int*>(others);
      loadMatrix(team, copy, 1, ld, x, item);
      __syncthreads();
      done = svd(team, copy, ld, n, n, left, n, values, right, ofSvd);
      if (done) {
        T orientation = 1;
        for (const T* basis : {left, right}) {
          copyMatrix(team, true, copy, ld, int64_t{1}, basis, ld, int64_t{1}, n, n);
          __syncthreads();
          orientation *= orientationOf(team, copy, ld, n, moreSwaps);
        }
        for (int i = team.thread; i < n; i += team.threads) {
          T product = orientation;
          for (int j = 0; j < n; j++)
            if (j != i) product *= values[j];
          others[i] = product;
        }
        __syncthreads();
        for (int r = team.group; r < n; r += team.groups)
          for (int c = team.lane; c < n; c += team.lanes) {
            T sum = 0;
            for (int i = 0; i < n; i++) sum += right[i * ld + c] * (left[i * ld + r] * others[i]);
            result[r * ld + c] = sum;
          }
        __syncthreads();
        storeMatrix(team, out, item, result, ld, 1);
      }
    }
    if (!done) {
      for (int i = team.group; i < n; i += team.groups)
        for (int j = team.lane; j < n; j += team.lanes) result[i * ld + j] = i == j ? det : T(0);
      __syncthreads();
      luSolve(team, n, n, a, ld, swaps, result, ld);
      storeMatrix(team, out, item, result, 1, ld);
    }
    __syncthreads();
  }
}

// Without b: the inverse.
template <class T>
__global__ void __launch_bounds__(kMostThreads, 1)
    solveKernel(Plan<T> plan, Matrices<T> out, Matrices<const T> a, Matrices<const T> b, bool inverse) {
  __shared__ Shared<T> shared;
  const Team<T> team(shared, plan.lanes);
  const int n = a.rows, k = out.columns;
  const int64_t lda = paddedRow(n), ldx = paddedRow(k);
  for (int64_t item = blockIdx.x; item < plan.count; item += gridDim.x) {
    THALWEG_SPACE(T, space, plan);
    T *lu = space.take(n * lda), *x = space.take(n * ldx);
    int* swaps = space.takeInts(n);
    loadMatrix(team, lu, lda, 1, a, item);
    if (!inverse)
      loadMatrix(team, x, ldx, 1, b, item);
    else
      for (int i = team.group; i < n; i += team.groups)
        for (int j = team.lane; j < n; j += team.lanes) x[i * ldx + j] = i == j ? T(1) : T(0);
    __syncthreads();
    const int zero = luFactor(team, lu, lda, n, n, swaps);
    if (zero != 0) {
      if (team.thread == 0) plan.report(item, zero, n);
    } else {
      luSolve(team, n, k, lu, lda, swaps, x, ldx);
      storeMatrix(team, out, item, x, ldx, 1);
    }
    __syncthreads();
  }
}

// A block has some of the columns of b: `pieces` blocks an item.
template <class T>
__global__ void __launch_bounds__(kMostThreads, 1)
    solveTriangularKernel(Plan<T> plan, Matrices<T> out, Matrices<const T> a, Matrices<const T> b, bool upper,
                          bool unit, int width, int pieces) {
  __shared__ Shared<T> shared;
  const Team<T> team(shared, plan.lanes);
  const int n = a.rows;
  const int64_t lda = paddedRow(n), ldx = paddedRow(width);
  for (int64_t task = blockIdx.x; task < plan.count; task += gridDim.x) {
    THALWEG_SPACE(T, space, plan);
    T *factor = space.take(n * lda), *x = space.take(n * ldx);
    const int64_t item = task / pieces;
    const int first = static_cast<int>(task % pieces) * width;
    const int k = b.columns - first < width ? b.columns - first : width;
    loadMatrix(team, factor, lda, 1, a, item);
    copyMatrix(team, b.cs <= b.rs, x, ldx, int64_t{1}, b.item(item) + first * b.cs, b.rs, b.cs, n, k);
    __syncthreads();
    solveTriangular(team, upper, unit, n, k, factor, lda, x, ldx);
    copyMatrix(team, out.cs <= out.rs, out.item(item) + first * out.cs, out.rs, out.cs, static_cast<const T*>(x), ldx,
               int64_t{1}, n, k);
    __syncthreads();
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads, 1) choleskyKernel(Plan<T> plan, Matrices<T> out, Matrices<const T> x) {
  __shared__ Shared<T> shared;
  const Team<T> team(shared, plan.lanes);
  const int n = x.rows;
  const int64_t ld = paddedRow(n);
  for (int64_t item = blockIdx.x; item < plan.count; item += gridDim.x) {
    THALWEG_SPACE(T, space, plan);
    T *a = space.take(n * ld), *roots = space.take(n);
    loadMatrix(team, a, ld, 1, x, item);
    __syncthreads();
    const int order = choleskyFactor(team, a, ld, n, roots);
    if (order != 0) {
      if (team.thread == 0) plan.report(item, order, n);
    } else {
      storeMatrix(team, out, item, a, ld, 1);
    }
    __syncthreads();
  }
}

}  // namespace

void linalgLu(Context& context, const TensorView& lu, const TensorView& pivots, const TensorView& permutation,
              const TensorView& x, bool check) {
  const char* op = check ? "linalg.luFactor" : "linalg.lu";
  checkMatrix(op, "x", x);
  const int64_t m = rowsOf(x), n = columnsOf(x), k = m < n ? m : n;
  checkMatrixLike(op, "lu", lu, x, m, n);
  checkVectorLike(op, "pivots", pivots, DType::Int32, x, k);
  checkVectorLike(op, "permutation", permutation, DType::Int32, x, m);
  const int64_t count = Batch(x, 2).count();
  if (count == 0 || m == 0) return;
  Queue& queue = queueOf(context);
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const double elements = static_cast<double>(m) * static_cast<double>(paddedRow(n)) + static_cast<double>(k + m);
    Launch<T> launch = launchFor<T>(queue, count, m > n ? m : n, elements);
    if (check) expectFailures(queue, launch);
    LAUNCH((luKernel<T>), launch.blocks, launch.threads, launch.sharedBytes, queue, launch.plan, Matrices<T>(lu),
           Vectors<int32_t>(pivots), Vectors<int32_t>(permutation), Matrices<const T>(x), check);
    if (check)
      reportFailures(queue, launch, x, k,
                     {"linalg.luFactor: (Batch element %1$lld): U[%2$lld,%2$lld] is zero and using it to solve would "
                      "result in a division by zero; linalg.lu(x) gives the factors all the same",
                      "linalg.luFactor: U[%1$lld,%2$lld] is zero and using it to solve would result in a division by "
                      "zero; linalg.lu(x) gives the factors all the same"});
  });
}

void linalgDet(Context& context, const OptionalTensor& det, const OptionalTensor& sign, const OptionalTensor& logabs,
               const TensorView& x) {
  const char* op = det.defined ? "linalg.det" : "linalg.slogdet";
  checkSquare(op, "x", x);
  const int64_t n = rowsOf(x);
  const OptionalTensor* outs[3] = {&det, &sign, &logabs};
  const char* names[3] = {"det", "sign", "logabs"};
  for (int i = 0; i < 3; i++)
    if (outs[i]->defined) checkLike(op, names[i], *outs[i], x.dtype, x, nullptr, 0);
  const int64_t count = Batch(x, 2).count();
  if (count == 0) return;
  Queue& queue = queueOf(context);
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const Launch<T> launch = launchFor<T>(queue, count, n, square(n) + static_cast<double>(n));
    LAUNCH((detKernel<T>), launch.blocks, launch.threads, launch.sharedBytes, queue, launch.plan, Vectors<T>(det, 0),
           Vectors<T>(sign, 0), Vectors<T>(logabs, 0), Matrices<const T>(x));
  });
}

void linalgCofactors(Context& context, const TensorView& out, const TensorView& x) {
  const char* op = "linalg.det";
  checkSquare(op, "x", x);
  const int64_t n = rowsOf(x);
  checkMatrixLike(op, "out", out, x, n, n);
  const int64_t count = Batch(x, 2).count();
  if (count == 0 || n == 0) return;
  Queue& queue = queueOf(context);
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const double size = static_cast<double>(n);
    const double elements = 5 * square(n) + 3 * size + SvdSpace<T>::elements(size, true);
    const Launch<T> launch = launchFor<T>(queue, count, n, elements);
    LAUNCH((cofactorsKernel<T>), launch.blocks, launch.threads, launch.sharedBytes, queue, launch.plan,
           Matrices<T>(out), Matrices<const T>(x));
  });
}

void linalgSolve(Context& context, const TensorView& out, const TensorView& a, const OptionalTensor& b) {
  const char* op = b.defined ? "linalg.solve" : "linalg.inv";
  checkSquare(op, "a", a);
  const int64_t n = rowsOf(a);
  if (b.defined) checkMatrix(op, "b", b);
  const int64_t k = b.defined ? columnsOf(b) : n;
  checkMatrixLike(op, "out", out, a, n, k);
  if (b.defined) checkMatrixLike(op, "b", b, a, n, k);
  const int64_t count = Batch(a, 2).count();
  if (count == 0 || n == 0) return;
  Queue& queue = queueOf(context);
  const bool inverse = !b.defined;
  withFloat(a.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const double ofX = static_cast<double>(n) * static_cast<double>(paddedRow(k));
    Launch<T> launch = launchFor<T>(queue, count, n > k ? n : k, square(n) + ofX + static_cast<double>(n));
    expectFailures(queue, launch);
    LAUNCH((solveKernel<T>), launch.blocks, launch.threads, launch.sharedBytes, queue, launch.plan, Matrices<T>(out),
           Matrices<const T>(a), Matrices<const T>(b), inverse);
    const FailureText ofSolve{
        "linalg.solve: (Batch element %1$lld): The diagonal element %2$lld is zero, the solution could not be "
        "completed because the input matrix is singular",
        "linalg.solve: The diagonal element %lld is zero, the solution could not be completed because the input "
        "matrix is singular"};
    const FailureText ofInverse{
        "linalg.inv: (Batch element %1$lld): The diagonal element %2$lld is zero, the inversion could not be "
        "completed because the input matrix is singular",
        "linalg.inv: The diagonal element %lld is zero, the inversion could not be completed because the input "
        "matrix is singular"};
    reportFailures(queue, launch, a, n, inverse ? ofInverse : ofSolve);
  });
}

void linalgSolveTriangular(Context& context, const TensorView& out, const TensorView& a, const TensorView& b,
                           bool upper, bool unit) {
  const char* op = "linalg.solveTriangular";
  checkSquare(op, "a", a);
  checkMatrix(op, "b", b);
  const int64_t n = rowsOf(a), k = columnsOf(b);
  checkMatrixLike(op, "b", b, a, n, k);
  checkMatrixLike(op, "out", out, a, n, k);
  const int64_t count = Batch(a, 2).count();
  if (count == 0 || n == 0 || k == 0) return;
  Queue& queue = queueOf(context);
  // Few systems are divided by columns, not too finely, since each block reads the whole matrix.
  const int64_t wanted = std::max<int64_t>(1, 2 * int64_t{queue.multiprocessors} / count);
  const int width = static_cast<int>(std::max((k + wanted - 1) / wanted, std::min<int64_t>(k, 16)));
  const int pieces = static_cast<int>((k + width - 1) / width);
  withFloat(a.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const double elements = square(n) + static_cast<double>(n) * static_cast<double>(paddedRow(width));
    const Launch<T> launch = launchFor<T>(queue, count * pieces, n > width ? n : width, elements);
    LAUNCH((solveTriangularKernel<T>), launch.blocks, launch.threads, launch.sharedBytes, queue, launch.plan,
           Matrices<T>(out), Matrices<const T>(a), Matrices<const T>(b), upper, unit, width, pieces);
  });
}

void linalgCholesky(Context& context, const TensorView& out, const TensorView& x) {
  const char* op = "linalg.cholesky";
  checkSquare(op, "x", x);
  const int64_t n = rowsOf(x);
  checkMatrixLike(op, "out", out, x, n, n);
  const int64_t count = Batch(x, 2).count();
  if (count == 0 || n == 0) return;
  Queue& queue = queueOf(context);
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    Launch<T> launch = launchFor<T>(queue, count, n, square(n) + static_cast<double>(n));
    expectFailures(queue, launch);
    LAUNCH((choleskyKernel<T>), launch.blocks, launch.threads, launch.sharedBytes, queue, launch.plan, Matrices<T>(out),
           Matrices<const T>(x));
    reportFailures(queue, launch, x, n,
                   {"linalg.cholesky: (Batch element %lld): The factorization could not be completed because the input "
                    "is not positive-definite (the leading minor of order %lld is not positive-definite)",
                    "linalg.cholesky: The factorization could not be completed because the input is not "
                    "positive-definite (the leading minor of order %lld is not positive-definite)"});
  });
}

}  // namespace thalweg::cuda
