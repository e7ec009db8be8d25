// Softmax rows: along any dimension of any strides. Contiguous rows of the compute type are worked on in place; other
// rows are gathered into scratch memory, and where the rows are strided but their neighbours are not, a block of
// neighbouring rows is worked on at once, one row in each vector lane.
#include "cpu/convert.h"
#include "cpu/kernel.h"
#include "cpu/reduce_softmax.h"
#include "cpu/strided.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kSoftmaxUnit = 16384;   // elements that are worth a chunk of their own
constexpr int64_t kBlockBytes = 1 << 19;  // of a block of columns: stays in the second-level cache
constexpr int64_t kMinWidth = 64;         // but it is as wide as this, for the memory's sake
constexpr int kFirstSlot = 1;             // of threadScratch

// Up to three operands of one shape: the row dimension, and the others merged where all operands allow it, the one with
// the smallest stride last.
struct RowSpace {
  int operands;
  const TensorView* views[3];
  int64_t n = 1, rowStrides[3];
  int64_t rows = 1;  // of all other dimensions
  int ndim = 0;
  int64_t shape[kMaxDims], strides[3][kMaxDims];

  RowSpace(const char* op, const TensorView* const* operandViews, int count, int64_t dim) : operands(count) {
    const TensorView& first = *operandViews[0];
    for (int i = 0; i < count; i++) {
      const TensorView& view = *operandViews[i];
      views[i] = &view;
      if (!view.defined) fail(ErrorKind::Native, "%s: operand %d is undefined", op, i);
      if (!isFloating(view.dtype)) fail(ErrorKind::DType, "%s: takes floats, not %s", op, dtypeName(view.dtype));
      if (!sameShape(view, first)) fail(ErrorKind::Shape, "%s: operands 0 and %d differ in shape", op, i);
      rowStrides[i] = 1;
    }
    if (dim < 0 || dim >= (first.ndim == 0 ? 1 : first.ndim))
      fail(ErrorKind::Shape, "%s: dim %lld of a tensor of %d dimensions", op, static_cast<long long>(dim), first.ndim);
    for (int d = 0; d < first.ndim; d++) {
      const int64_t size = first.shape[d];
      if (d == dim) {
        n = size;
        for (int i = 0; i < count; i++) rowStrides[i] = views[i]->strides[d];
      } else if (size != 1) {
        add(d, size);
      }
    }
    int smallest = ndim - 1;
    for (int d = ndim - 2; d >= 0; d--)
      if (strides[1][d] < strides[1][smallest]) smallest = d;
    for (int d = smallest; d >= 0 && d + 1 < ndim; d++) swapDims(d, d + 1);
  }

  int64_t lanesSize() const { return ndim == 0 ? 1 : shape[ndim - 1]; }
  bool contiguous(int i, DType dtype) const { return views[i]->dtype == dtype && (rowStrides[i] == 1 || n == 1); }

  // The address of row `row` (of the other dimensions in row-major order).
  char* address(int i, int64_t row) const {
    int64_t offset = 0;
    for (int d = ndim - 1; d > 0; d--) {
      offset += row % shape[d] * strides[i][d];
      row /= shape[d];
    }
    if (ndim > 0) offset += row * strides[i][0];
    return views[i]->data + offset * itemSize(views[i]->dtype);
  }

 private:
  void add(int d, int64_t size) {
    rows *= size;
    bool merge = ndim > 0;
    for (int i = 0; i < operands && merge; i++) merge = strides[i][ndim - 1] == views[i]->strides[d] * size;
    if (!merge) shape[ndim++] = 1;
    shape[ndim - 1] *= size;
    for (int i = 0; i < operands; i++) strides[i][ndim - 1] = views[i]->strides[d];
  }
  void swapDims(int a, int b) {
    const int64_t size = shape[a];
    shape[a] = shape[b];
    shape[b] = size;
    for (int i = 0; i < operands; i++) {
      const int64_t stride = strides[i][a];
      strides[i][a] = strides[i][b];
      strides[i][b] = stride;
    }
  }
};

template <class T>
T* scratch(int buffer, int64_t elements) {
  return reinterpret_cast<T*>(threadScratch(kFirstSlot + buffer, elements * static_cast<int64_t>(sizeof(T))));
}

// row(out, in...) and columns(blocks, n, width); operand 0 is written, the others are read.
template <class T, class Row, class Columns>
void forRows(Context& ctx, const RowSpace& s, Row row, Columns columns) {
  constexpr int L = lanes<T>;
  const int64_t n = s.n;
  const int inputs = s.operands - 1;
  if (n == 0 || s.rows == 0) return;

  const int64_t side = s.lanesSize();
  if (s.rowStrides[1] != 1 && n > 1 && side > 1 && 4 * side >= L) {
    const int64_t padded = (side + L - 1) / L * L;
    int64_t width = kBlockBytes / (n * static_cast<int64_t>(sizeof(T))) / L * L;
    if (width < kMinWidth) width = kMinWidth;
    if (width > kSoftmaxLanes) width = kSoftmaxLanes;
    if (width > padded) width = padded;
    const int64_t blocks = (side - 1) / width + 1;
    parallelFor(ctx.pool, s.rows / side * blocks, kSoftmaxUnit / (n * width), [&](int64_t begin, int64_t end) {
      T* buffers[2] = {};
      for (int i = 0; i < inputs; i++) buffers[i] = scratch<T>(i, n * width);
      for (int64_t unit = begin; unit < end; unit++) {
        const int64_t first = unit % blocks * width, row0 = unit / blocks * side + first;
        const int64_t w = side - first < width ? side - first : width;
        const auto eachRow = [&](int operand, auto body) {
          const DType dtype = s.views[operand]->dtype;
          const int64_t step = s.rowStrides[operand] * itemSize(dtype);
          char* p = s.address(operand, row0);
          for (int64_t r = 0; r < n; r++) body(p + r * step, dtype, s.strides[operand][s.ndim - 1], r * width);
        };
        for (int i = 0; i < inputs; i++) {
          T* buffer = buffers[i];
          eachRow(i + 1, [&](char* p, DType dtype, int64_t stride, int64_t at) {
            loadRun(buffer + at, dtype, p, stride, w);
            for (int64_t j = w; j < width; j++) buffer[at + j] = 0;
          });
        }
        columns(buffers, n, static_cast<int>(width));
        eachRow(0, [&](char* p, DType dtype, int64_t stride, int64_t at) {
          storeRun(buffers[0] + at, dtype, p, stride, w);
        });
      }
    });
    return;
  }

  parallelFor(ctx.pool, s.rows, kSoftmaxUnit / n, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const T* in[2] = {};
      T* buffer = nullptr;
      for (int i = 0; i < inputs; i++) {
        const char* p = s.address(i + 1, r);
        if (s.contiguous(i + 1, dtypeOf<T>)) {
          in[i] = reinterpret_cast<const T*>(p);
          continue;
        }
        T* copy = scratch<T>(i, n);
        loadRun(copy, s.views[i + 1]->dtype, p, s.rowStrides[i + 1], n);
        in[i] = buffer = copy;
      }
      char* p = s.address(0, r);
      if (s.contiguous(0, dtypeOf<T>)) {
        row(reinterpret_cast<T*>(p), in, n);
        continue;
      }
      if (!buffer) buffer = scratch<T>(0, n);
      row(buffer, in, n);
      storeRun(buffer, s.views[0]->dtype, p, s.rowStrides[0], n);
    }
  });
}

template <class T>
void softmaxTyped(Context& ctx, const RowSpace& s, bool log) {
  forRows<T>(
      ctx, s, [log](T* out, const T* const* in, int64_t n) { softmaxRow(out, in[0], n, log); },
      [log](T* const* blocks, int64_t n, int width) { softmaxColumns(blocks[0], n, width, log); });
}

template <class T>
void softmaxBackwardTyped(Context& ctx, const RowSpace& s, bool log) {
  forRows<T>(
      ctx, s, [log](T* out, const T* const* in, int64_t n) { softmaxBackwardRow(out, in[0], in[1], n, log); },
      [log](T* const* blocks, int64_t n, int width) { softmaxBackwardColumns(blocks[0], blocks[1], n, width, log); });
}

bool anyDouble(const RowSpace& s) {
  for (int i = 0; i < s.operands; i++)
    if (s.views[i]->dtype == DType::Float64) return true;
  return false;
}

}  // namespace

void softmax(Context& ctx, const TensorView& out, const TensorView& x, int64_t dim, bool log) {
  const TensorView* views[] = {&out, &x};
  const RowSpace s("softmax", views, 2, dim);
  anyDouble(s) ? softmaxTyped<double>(ctx, s, log) : softmaxTyped<float>(ctx, s, log);
}

void softmaxBackward(Context& ctx, const TensorView& gx, const TensorView& g, const TensorView& y, int64_t dim,
                     bool log) {
  const TensorView* views[] = {&gx, &g, &y};
  const RowSpace s("softmaxBackward", views, 3, dim);
  anyDouble(s) ? softmaxBackwardTyped<double>(ctx, s, log) : softmaxBackwardTyped<float>(ctx, s, log);
}

}  // namespace thalweg::cpu::THALWEG_ISA
