// im2col and col2im: the patches of images as columns, and the sum of columns at the places they came from.
#include "cpu/fold_patches.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kFoldGrain = 32768;  // elements of columns worth a chunk

template <class T>
void im2colOf(Context& ctx, const ConvShape& s, const TensorView& columns, const TensorView& x) {
  const int64_t perChannel = s.taps * s.outSize;
  parallelFor(ctx.pool, s.images * s.cin, kFoldGrain / perChannel + 1, [&](int64_t begin, int64_t end) {
    gatherPatches(s, x.as<const T>() + begin * s.inSize, end - begin, 0, s.outSize,
                  columns.as<T>() + begin * perChannel, s.outSize);
  });
}

template <class T>
void col2imOf(Context& ctx, const ConvShape& s, const TensorView& x, const TensorView& columns) {
  const int64_t perChannel = s.taps * s.outSize;
  parallelFor(ctx.pool, s.images * s.cin, kFoldGrain / perChannel + 1, [&](int64_t begin, int64_t end) {
    T* to = x.as<T>() + begin * s.inSize;
    fillRows<T>(to, 1, (end - begin) * s.inSize, 0, nullptr);
    addPatches(s, to, end - begin, 0, s.outSize, columns.as<const T>() + begin * perChannel, s.outSize);
  });
}

}  // namespace

void im2col(Context& ctx, const TensorView& out, const TensorView& x, Scalars geometry) {
  const ConvShape s = readFoldShape("im2col", x, out, geometry);
  if (s.taps == 0) return;
  out.dtype == DType::Float64 ? im2colOf<double>(ctx, s, out, x) : im2colOf<float>(ctx, s, out, x);
}

void col2im(Context& ctx, const TensorView& out, const TensorView& columns, Scalars geometry) {
  const ConvShape s = readFoldShape("col2im", out, columns, geometry);
  if (s.taps == 0 || emptyView(out)) return;
  out.dtype == DType::Float64 ? col2imOf<double>(ctx, s, out, columns) : col2imOf<float>(ctx, s, out, columns);
}

}  // namespace thalweg::cpu::THALWEG_ISA
