// im2col and col2im: the patches of images as columns, and the sum of columns at the places they came from.
#include "cpu/fold_patches.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kFoldGrain = 32768;  // elements of columns worth a chunk

ConvShape readFoldShape(const char* op, const TensorView& x, const TensorView& columns, Scalars geometry) {
  checkOperand(op, "x", x, x);
  checkOperand(op, "columns", columns, x);
  ConvShape s;
  if (geometry.count != 15)
    fail(ErrorKind::Native, "%s: %lld numbers of geometry, expected 15", op, static_cast<long long>(geometry.count));
  readNumbers(op, geometry, 0, s.out, 3, 1);
  readNumbers(op, geometry, 3, s.kernel, 3, 1);
  readNumbers(op, geometry, 6, s.stride, 3, 1);
  readNumbers(op, geometry, 9, s.padding, 3, 0);
  readNumbers(op, geometry, 12, s.dilation, 3, 1);
  if (x.ndim < 3 || x.ndim > 5 || columns.ndim != 3)
    fail(ErrorKind::Shape, "%s: x %s must have 3 to 5 dimensions and columns %s 3", op, shapeText(x).c_str(),
         shapeText(columns).c_str());
  s.images = x.shape[0];
  s.cin = x.shape[1];
  readSpatial(x, s.in);
  // Compared by dividing: products of three sizes may not fit 64 bits.
  const auto isProduct = [](int64_t n, int64_t a, const int64_t* factors) {
    if (a == 0) return n == 0;
    if (n % a != 0) return false;
    n /= a;
    for (int d = 0; d < 3; d++) {
      if (n % factors[d] != 0) return false;
      n /= factors[d];
    }
    return n == 1;
  };
  if (columns.shape[0] != s.images || !isProduct(columns.shape[1], s.cin, s.kernel) ||
      !isProduct(columns.shape[2], 1, s.out))
    fail(ErrorKind::Shape, "%s: x %s and columns %s do not fit the geometry", op, shapeText(x).c_str(),
         shapeText(columns).c_str());
  if (!emptyView(columns)) s.multiply();
  return s;
}

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
