// Factorisations into orthogonal matrices: QR, singular values, and eigenvalues of symmetric matrices.
#include "cuda/linalg_eigh.h"
#include "cuda/linalg_svd.h"

namespace thalweg::cuda {
namespace {

// A matrix of `lines` contiguous lines of `length` elements, as they lie in working space.
double linesOf(int64_t lines, int64_t length) {
  return static_cast<double>(lines) * static_cast<double>(paddedRow(length));
}

template <class T>
__global__ void __launch_bounds__(kMostThreads, 1)
    qrKernel(Plan<T> plan, Matrices<T> q, Matrices<T> r, Matrices<const T> x, bool wantsQ) {
  __shared__ Shared<T> shared;
  const Team<T> team(shared, plan.lanes);
  const int m = x.rows, n = x.columns, k = m < n ? m : n;
  const int64_t ld = paddedRow(m);
  for (int64_t item = blockIdx.x; item < plan.count; item += gridDim.x) {
    THALWEG_SPACE(T, space, plan);
    T *a = space.take(n * ld), *tau = space.take(k);
    loadMatrix(team, a, 1, ld, x, item);
    __syncthreads();
    qrFactor(team, a, ld, m, n, tau);
    T* to = r.item(item);
    for (int i = team.group; i < r.rows; i += team.groups)
      for (int j = team.lane; j < n; j += team.lanes) to[i * r.rs + j * r.cs] = j < i ? T(0) : a[j * ld + i];
    if (wantsQ) {
      T* columns = space.take(q.columns * ld);
      columnsOfQ(team, a, ld, tau, m, k, columns, ld, 0, q.columns);
      __syncthreads();
      storeMatrix(team, q, item, columns, 1, ld);
    }
    __syncthreads();
  }
}

// A wide matrix is worked on as its transpose. columns: of the left vectors; 0: only the values are wanted.
template <class T>
__global__ void __launch_bounds__(kMostThreads, 1) svdKernel(Plan<T> plan, Matrices<T> u, Vectors<T> s, Matrices<T> vh,
                                                             Matrices<const T> x, bool vectors, int columns) {
  __shared__ Shared<T> shared;
  const Team<T> team(shared, plan.lanes);
  const bool wide = x.rows < x.columns;
  const int l = wide ? x.columns : x.rows, k = wide ? x.rows : x.columns;
  const int64_t ld = paddedRow(l);
  for (int64_t item = blockIdx.x; item < plan.count; item += gridDim.x) {
    THALWEG_SPACE(T, space, plan);
    T *a = space.take(k * ld), *values = space.take(k);
    const SvdSpace<T> ofSvd(space, k, vectors);
    T* left = vectors ? space.take(columns * ld) : nullptr;
    T* right = vectors ? space.take(k * ofSvd.ld) : nullptr;
    loadMatrix(team, a, wide ? ld : 1, wide ? 1 : ld, x, item);
    __syncthreads();
    if (svd(team, a, ld, l, k, left, columns, values, right, ofSvd)) {
      __syncthreads();
      T* to = s.item(item);
      for (int i = team.thread; i < k; i += team.threads) to[i * s.stride] = values[i];
      if (vectors && wide) {
        storeMatrix(team, u, item, right, 1, ofSvd.ld);
        storeMatrix(team, vh, item, left, ld, 1);
      } else if (vectors) {
        storeMatrix(team, u, item, left, 1, ld);
        storeMatrix(team, vh, item, right, ofSvd.ld, 1);
      }
    } else if (team.thread == 0) {
      plan.report(item, 1, 1);
    }
    __syncthreads();
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads, 1)
    eighKernel(Plan<T> plan, Vectors<T> w, Matrices<T> v, Matrices<const T> x, bool upper, bool vectors) {
  __shared__ Shared<T> shared;
  const Team<T> team(shared, plan.lanes);
  const int n = x.rows;
  const int64_t ld = paddedRow(n);
  for (int64_t item = blockIdx.x; item < plan.count; item += gridDim.x) {
    THALWEG_SPACE(T, space, plan);
    T *a = space.take(n * ld), *d = space.take(n);
    const EighSpace<T> ofEigh(space, n);
    T* z = vectors ? space.take(n * ld) : nullptr;
    loadMatrix(team, a, upper ? 1 : ld, upper ? ld : 1, x, item);
    __syncthreads();
    for (int i = team.group; i < n; i += team.groups)
      for (int j = team.lane; j < i; j += team.lanes) a[j * ld + i] = a[i * ld + j];
    __syncthreads();
    const int reason = eigh(team, a, ld, n, d, z, ofEigh);
    if (reason == 0) {
      T* to = w.item(item);
      for (int i = team.thread; i < n; i += team.threads) to[i * w.stride] = d[i];
      if (vectors) storeMatrix(team, v, item, z, 1, ld);
    } else if (team.thread == 0) {
      plan.report(item, reason, 2);
    }
    __syncthreads();
  }
}

}  // namespace

void linalgQr(Context& context, const OptionalTensor& q, const TensorView& r, const TensorView& x) {
  const char* op = "linalg.qr";
  checkMatrix(op, "x", x);
  const int64_t m = rowsOf(x), n = columnsOf(x), k = m < n ? m : n;
  const bool complete = q.defined && q.ndim >= 2 && columnsOf(q) == m;
  const int64_t columns = complete ? m : k;
  if (q.defined) checkMatrixLike(op, "q", q, x, m, columns);
  checkMatrixLike(op, "r", r, x, columns, n);
  if ((!q.defined || q.numel() == 0) && r.numel() == 0) return;
  Queue& queue = queueOf(context);
  const int64_t count = Batch(x, 2).count();
  const bool wantsQ = q.defined;
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const double elements = linesOf(n + (wantsQ ? columns : 0), m) + static_cast<double>(k);
    const Launch<T> launch = launchFor<T>(queue, count, m > n ? m : n, elements);
    LAUNCH((qrKernel<T>), launch.blocks, launch.threads, launch.sharedBytes, queue, launch.plan, Matrices<T>(q),
           Matrices<T>(r), Matrices<const T>(x), wantsQ);
  });
}

void linalgSvd(Context& context, const OptionalTensor& u, const TensorView& s, const OptionalTensor& vh,
               const TensorView& x) {
  const char* op = u.defined ? "linalg.svd" : "linalg.svdvals";
  const auto [m, n, k, l, vectors, wide, columns] = checkSvd(op, u, s, vh, x);
  if (s.numel() == 0 && (!vectors || (u.numel() == 0 && vh.numel() == 0))) return;
  Queue& queue = queueOf(context);
  const int64_t count = Batch(x, 2).count();
  const int ofLeft = static_cast<int>(columns);
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const double size = static_cast<double>(k);
    const double elements =
        linesOf(k + columns, l) + size + SvdSpace<T>::elements(size, vectors) + (vectors ? linesOf(k, k) : 0);
    Launch<T> launch = launchFor<T>(queue, count, l, elements);
    expectFailures(queue, launch);
    LAUNCH((svdKernel<T>), launch.blocks, launch.threads, launch.sharedBytes, queue, launch.plan, Matrices<T>(u),
           Vectors<T>(s), Matrices<T>(vh), Matrices<const T>(x), vectors, ofLeft);
    const FailureText ofSvd{
        "linalg.svd: (Batch element %lld): The algorithm failed to converge because the input matrix contained "
        "non-finite values",
        "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values"};
    const FailureText ofValues{
        "linalg.svdvals: (Batch element %lld): The algorithm failed to converge because the input matrix contained "
        "non-finite values",
        "linalg.svdvals: The algorithm failed to converge because the input matrix contained non-finite values"};
    reportFailures(queue, launch, x, 1, vectors ? ofSvd : ofValues);
  });
}

void linalgEigh(Context& context, const TensorView& w, const OptionalTensor& v, const TensorView& x, bool upper) {
  const char* op = v.defined ? "linalg.eigh" : "linalg.eigvalsh";
  checkSquare(op, "x", x);
  const int64_t n = rowsOf(x);
  checkVectorLike(op, "w", w, x.dtype, x, n);
  if (v.defined) checkMatrixLike(op, "v", v, x, n, n);
  if (w.numel() == 0) return;
  Queue& queue = queueOf(context);
  const int64_t count = Batch(x, 2).count();
  const bool vectors = v.defined;
  withFloat(x.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const double size = static_cast<double>(n);
    const double elements = linesOf(vectors ? 2 * n : n, n) + size + EighSpace<T>::elements(size);
    Launch<T> launch = launchFor<T>(queue, count, n, elements);
    expectFailures(queue, launch);
    LAUNCH((eighKernel<T>), launch.blocks, launch.threads, launch.sharedBytes, queue, launch.plan, Vectors<T>(w),
           Matrices<T>(v), Matrices<const T>(x), upper, vectors);
    const FailureText notFinite[2] = {
        {"linalg.eigvalsh: (Batch element %lld): The algorithm failed to converge because the input matrix contained "
         "non-finite values",
         "linalg.eigvalsh: The algorithm failed to converge because the input matrix contained non-finite values"},
        {"linalg.eigh: (Batch element %lld): The algorithm failed to converge because the input matrix contained "
         "non-finite values",
         "linalg.eigh: The algorithm failed to converge because the input matrix contained non-finite values"}};
    const FailureText endless[2] = {
        {"linalg.eigvalsh: (Batch element %lld): The algorithm failed to converge because the input matrix has too "
         "many repeated eigenvalues",
         "linalg.eigvalsh: The algorithm failed to converge because the input matrix has too many repeated "
         "eigenvalues"},
        {"linalg.eigh: (Batch element %lld): The algorithm failed to converge because the input matrix has too many "
         "repeated eigenvalues",
         "linalg.eigh: The algorithm failed to converge because the input matrix has too many repeated eigenvalues"}};
    reportFailures(queue, launch, x, 2, notFinite[vectors], &endless[vectors]);
  });
}

}  // namespace thalweg::cuda
