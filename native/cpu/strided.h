// One operand's walk through an iteration space: its dimensions merged as far as its own strides allow, then visited in
// runs of the innermost dimension. Every operand is merged by itself, so a contiguous tensor is one run whatever the
// other operands look like.
#pragma once
#include <cstdint>

#include "cpu/simd.h"
#include "runtime/tensor.h"

namespace thalweg::cpu::THALWEG_ISA {

struct Strided {
  int ndim;  // at least 1
  int64_t shape[kMaxDims], strides[kMaxDims];

  bool contiguous() const { return ndim == 1 && (strides[0] == 1 || shape[0] <= 1); }
  bool uniform() const { return ndim == 1 && (strides[0] == 0 || shape[0] <= 1); }
};

// `strides` (one for each of the ndim sizes of `shape`), merged. Sizes of 1 disappear.
inline void mergeDims(Strided& out, const int64_t* shape, const int64_t* strides, int ndim) {
  int n = 0;
  for (int d = 0; d < ndim; d++) {
    if (shape[d] == 1) continue;
    if (n > 0 && out.strides[n - 1] == strides[d] * shape[d]) {
      out.shape[n - 1] *= shape[d];
      out.strides[n - 1] = strides[d];
    } else {
      out.shape[n] = shape[d];
      out.strides[n++] = strides[d];
    }
  }
  if (n == 0) {
    out.shape[0] = 1;
    out.strides[0] = 1;
    n = 1;
  }
  out.ndim = n;
}

// A view broadcast to `shape`, right-aligned. The caller has checked that it can be.
inline void mergeBroadcast(Strided& out, const TensorView& view, const int64_t* shape, int ndim) {
  int64_t strides[kMaxDims];
  const int missing = ndim - view.ndim;
  for (int d = 0; d < ndim; d++)
    strides[d] = d < missing || view.shape[d - missing] == 1 ? 0 : view.strides[d - missing];
  mergeDims(out, shape, strides, ndim);
}

// Calls f(offset in elements, stride, length) for the runs of elements [begin, begin + n) in row-major order.
template <class F>
THALWEG_INLINE void forRuns(const Strided& s, int64_t begin, int64_t n, F&& f) {
  const int last = s.ndim - 1;
  const int64_t stride = s.strides[last];
  if (last == 0) {
    f(begin * stride, stride, n);
    return;
  }
  int64_t index[kMaxDims];
  int64_t offset = 0;
  uint64_t rest = static_cast<uint64_t>(begin);
  for (int d = last; d > 0; d--) {
    const uint64_t size = static_cast<uint64_t>(s.shape[d]);
    index[d] = static_cast<int64_t>(rest % size);
    rest /= size;
    offset += index[d] * s.strides[d];
  }
  index[0] = static_cast<int64_t>(rest);
  offset += index[0] * s.strides[0];
  for (;;) {
    const int64_t left = s.shape[last] - index[last];
    const int64_t run = left < n ? left : n;
    f(offset, stride, run);
    n -= run;
    if (n <= 0) return;
    // On to the next row: back to the start of this one, then carry.
    offset -= index[last] * stride;
    index[last] = 0;
    for (int d = last - 1; d >= 0; d--) {
      offset += s.strides[d];
      if (++index[d] < s.shape[d] || d == 0) break;
      offset -= s.shape[d] * s.strides[d];
      index[d] = 0;
    }
  }
}

}  // namespace thalweg::cpu::THALWEG_ISA
