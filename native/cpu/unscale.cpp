// unscale: gradients divided by the factor of a scaled loss, and looked at, in one pass over all of them.
//
// All gradients together are one range of elements, cut into pieces by size, as in map.cpp.
#include <vector>

#include "cpu/convert.h"
#include "cpu/kernel.h"
#include "cpu/strided.h"
#include "operands/map.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr const char* kName = "GradScaler.unscale_";
constexpr int64_t kTile = 1024;
constexpr int64_t kGrain = int64_t{1} << 16;

struct Gradient {
  char* data;
  DType dtype;
  int64_t start, count;  // in the range of all elements
  Strided dims;
};

// The dimensions in the order of their strides: memory is walked through in order.
Gradient prepare(const TensorView& g, int64_t index) {
  const auto number = static_cast<long long>(index);
  if (!g.defined) fail(ErrorKind::Native, "%s: gradient %lld is undefined", kName, number);
  if (g.ndim > kMaxDims) fail(ErrorKind::Native, "%s: gradient %lld has ndim %d", kName, number, g.ndim);
  if (!isFloating(g.dtype)) fail(ErrorKind::DType, "%s: takes floats, not %s", kName, dtypeName(g.dtype));
  Gradient to{g.data, g.dtype, 0, g.numel(), {}};
  if (to.count == 0) return to;
  if (g.data == nullptr) fail(ErrorKind::Native, "%s: gradient %lld has no memory", kName, number);
  int64_t shape[kMaxDims], strides[kMaxDims];
  for (int d = 0; d < g.ndim; d++) {
    if (g.shape[d] > 1 && g.strides[d] == 0)
      fail(ErrorKind::Shape, "%s: gradient %lld is expanded along dimension %d", kName, number, d);
    int at = d;
    for (; at > 0 && strides[at - 1] < g.strides[d]; at--) {
      shape[at] = shape[at - 1];
      strides[at] = strides[at - 1];
    }
    shape[at] = g.shape[d];
    strides[at] = g.strides[d];
  }
  mergeDims(to.dims, shape, strides, g.ndim);
  return to;
}

// x - x is 0 for what is finite, else NaN, which stays.
template <class T>
bool unscaleValues(T* x, int64_t n, T factor) {
  Vec<T> sum{};
  int64_t i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>) {
    const Vec<T> v = load(x + i) * broadcast(factor);
    sum += v - v;
    store(x + i, v);
  }
  T rest = 0;
  for (; i < n; i++) {
    x[i] *= factor;
    rest += x[i] - x[i];
  }
  for (int k = 0; k < lanes<T>; k++) rest += sum[k];
  return rest != 0;  // true of NaN
}

// Whether all of a piece has stayed finite, as it is stored.
template <class T>
bool unscalePiece(const Gradient& g, int64_t begin, int64_t n, T factor) {
  bool bad = false;
  forRuns(g.dims, begin, n, [&](int64_t offset, int64_t stride, int64_t run) {
    char* data = g.data + offset * itemSize(g.dtype);
    if (stride == 1 && g.dtype == dtypeOf<T>) {
      bad |= unscaleValues(reinterpret_cast<T*>(data), run, factor);
      return;
    }
    alignas(64) T values[kTile];
    for (int64_t done = 0; done < run; done += kTile) {
      const int64_t m = run - done < kTile ? run - done : kTile;
      char* at = data + done * stride * itemSize(g.dtype);
      loadRun<T>(values, g.dtype, at, stride, m);
      bad |= unscaleValues(values, m, factor);
      storeRun<T>(values, g.dtype, at, stride, m);
      if (g.dtype == dtypeOf<T>) continue;
      loadRun<T>(values, g.dtype, at, stride, m);
      bad |= unscaleValues(values, m, T(1));
    }
  });
  return bad;
}

}  // namespace

void unscale(Context& ctx, TensorList grads, const TensorView& scale, const TensorView& found) {
  checkFlag(kName, "scale", scale);
  checkFlag(kName, "found", found);
  std::vector<Gradient> list;
  int64_t total = 0;
  for (int64_t i = 0; i < grads.count; i++) {
    Gradient g = prepare(grads[i], i);
    if (g.count == 0) continue;
    g.start = total;
    total += g.count;
    list.push_back(g);
  }
  const float factor = *scale.as<const float>();
  parallelFor(ctx.pool, total, kGrain, [&](int64_t begin, int64_t end) {
    size_t g = 0;
    for (size_t last = list.size() - 1; g < last;) {  // the gradient that holds `begin`
      const size_t middle = (g + last + 1) / 2;
      if (list[middle].start <= begin)
        g = middle;
      else
        last = middle - 1;
    }
    bool bad = false;
    for (; g < list.size() && list[g].start < end; g++) {
      const Gradient& gradient = list[g];
      const int64_t from = begin > gradient.start ? begin - gradient.start : 0;
      const int64_t to = end - gradient.start < gradient.count ? end - gradient.start : gradient.count;
      bad |= gradient.dtype == DType::Float64
                 ? unscalePiece<double>(gradient, from, to - from, 1 / static_cast<double>(factor))
                 : unscalePiece<float>(gradient, from, to - from, 1 / factor);
    }
    // Whoever finds something writes the same.
    if (bad) __atomic_store_n(found.as<uint32_t>(), __builtin_bit_cast(uint32_t, 1.0f), __ATOMIC_RELAXED);
  });
}

}  // namespace thalweg::cpu::THALWEG_ISA
