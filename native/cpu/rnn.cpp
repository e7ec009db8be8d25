// Recurrent layers: one layer in one direction, a whole sequence a call.
//
// The products with the inputs are made before, by one matmul over all steps; what is left is a product with the state
// and some arithmetic a step. Rows of the batch do not meet, so blocks of them are the tasks: each goes through all of
// time without waiting for the others.
//
// Sequences are packed: the rows of step t follow those of step t - 1, and step t has batchSizes[t] rows, never more
// than the step before it. Row b of every step belongs to sequence b. Without batchSizes all steps have the whole
// batch.
#include "cpu/gemm.h"
#include "cpu/kernel.h"
#include "cpu/rnn_cell.h"
#include "cpu/shape_text.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

enum Slot { kSlotWeight = kScratchOfCallers, kSlotOffsets, kSlotHidden };

// Steps this large are worth a parallel product each; smaller ones make blocks of rows.
constexpr double kStepFlops = 64e6;
constexpr double kTaskFlops = 1e6;

struct Steps {
  int64_t count, batch;
  const int64_t* offsets;  // of each step's first row, and the end; null: all alike

  int64_t offset(int64_t t) const { return offsets ? offsets[t] : t * batch; }
  int64_t rows(int64_t t) const { return offsets ? offsets[t + 1] - offsets[t] : batch; }
};

// What both kernels have in common.
struct Sequence {
  const char* op;
  Cell cell;
  bool reverse;
  DType dtype;
  int64_t rows, H, G;
  Steps steps;

  Sequence(const char* op, int64_t kind, bool reverse, const TensorView& h, const TensorView& state,
           const TensorView& batchSizes)
      : op(op), reverse(reverse) {
    if (kind < 0 || kind > static_cast<int64_t>(Cell::Relu))
      fail(ErrorKind::Native, "%s: cell %lld is unknown", op, static_cast<long long>(kind));
    cell = static_cast<Cell>(kind);
    G = gatesOf(cell);
    dtype = h.dtype;
    if (dtype != DType::Float32 && dtype != DType::Float64)
      fail(ErrorKind::DType, "%s: takes float32 and float64, not %s", op, dtypeName(dtype));
    if (h.ndim != 2 || state.ndim != 2)
      fail(ErrorKind::Shape, "%s: h %s and state %s must have 2 dimensions", op, shapeText(h).c_str(),
           shapeText(state).c_str());
    rows = h.shape[0];
    H = h.shape[1];
    steps.batch = state.shape[0];
    steps.offsets = nullptr;
    if (batchSizes.defined)
      readBatchSizes(batchSizes);
    else if (steps.batch == 0 ? rows != 0 : rows % steps.batch != 0)
      fail(ErrorKind::Shape, "%s: %lld rows are no steps of a batch of %lld", op, static_cast<long long>(rows),
           static_cast<long long>(steps.batch));
    else
      steps.count = steps.batch == 0 ? 0 : rows / steps.batch;
  }

  void check(const TensorView& view, const char* name, int64_t shape0, int64_t shape1, bool contiguous = true) const {
    if (!view.defined) fail(ErrorKind::Native, "%s: %s is missing", op, name);
    if (view.dtype != dtype)
      fail(ErrorKind::DType, "%s: %s is %s, not %s", op, name, dtypeName(view.dtype), dtypeName(dtype));
    if (view.ndim != 2 || view.shape[0] != shape0 || view.shape[1] != shape1)
      fail(ErrorKind::Shape, "%s: %s is %s, not [%lld,%lld]", op, name, shapeText(view).c_str(),
           static_cast<long long>(shape0), static_cast<long long>(shape1));
    if (contiguous && !view.isContiguous()) fail(ErrorKind::Shape, "%s: %s is not contiguous", op, name);
  }
  void checkRows(const TensorView& view, const char* name, int64_t gates = 1) const {
    check(view, name, rows, gates * H);
  }
  void checkState(const TensorView& view, const char* name) const { check(view, name, steps.batch, H); }

  // The step that comes after s others.
  int64_t step(int64_t s) const { return reverse ? steps.count - 1 - s : s; }
  // How many rows of a block are there at a step.
  int64_t rowsAt(int64_t t, int64_t begin, int64_t end) const {
    const int64_t n = steps.rows(t);
    return (n < end ? n : end) - begin;
  }
  // Where row b was before step t: in `all`, or in the initial state.
  template <class T>
  const T* before(const T* all, const T* initial, int64_t t, int64_t b) const {
    const int64_t last = reverse ? t + 1 : t - 1;
    if (last < 0 || last >= steps.count || steps.rows(last) <= b) return initial + b * H;
    return all + (steps.offset(last) + b) * H;
  }

  int64_t blockRows() const {
    const double rowFlops = 2.0 * static_cast<double>(G * H) * static_cast<double>(H + 32);
    if (rowFlops * static_cast<double>(steps.batch) >= kStepFlops) return steps.batch;
    // A block of a wide layer reads a large matrix each step: the more rows, the better.
    const int64_t least = H <= 128 ? 16 : 32;
    const double wanted = kTaskFlops / (rowFlops * static_cast<double>(steps.count) + 1);
    if (wanted <= static_cast<double>(least)) return least;
    return wanted >= static_cast<double>(steps.batch) ? steps.batch : static_cast<int64_t>(wanted);
  }

 private:
  // Into memory of our own: the tensor may lie where results are written.
  void readBatchSizes(const TensorView& view) {
    if (view.dtype != DType::Int64 || view.ndim != 1 || !view.isContiguous())
      fail(ErrorKind::DType, "%s: batchSizes must be int64, contiguous and of one dimension", op);
    steps.count = view.shape[0];
    int64_t* offsets = reinterpret_cast<int64_t*>(threadScratch(kSlotOffsets, (steps.count + 1) * 8));
    const int64_t* sizes = view.as<const int64_t>();
    int64_t last = steps.batch, total = 0;
    for (int64_t t = 0; t < steps.count; t++) {
      const int64_t size = sizes[t];
      if (size < 0 || size > last || size > rows - total || (t == 0 && size != steps.batch))
        fail(ErrorKind::Shape, "%s: batchSizes[%lld] is %lld, after %lld and in %lld rows", op,
             static_cast<long long>(t), static_cast<long long>(size), static_cast<long long>(last),
             static_cast<long long>(rows));
      offsets[t] = total;
      total += last = size;
    }
    offsets[steps.count] = total;
    if (total != rows)
      fail(ErrorKind::Shape, "%s: batchSizes add up to %lld, but there are %lld rows", op,
           static_cast<long long>(total), static_cast<long long>(rows));
    steps.offsets = offsets;
  }
};

template <class T>
T* dataOf(const TensorView& view) {
  return view.defined ? view.as<T>() : nullptr;
}
// A row of a matrix that may not be there.
template <class T>
THALWEG_INLINE T* rowOf(T* matrix, int64_t row, int64_t columns) {
  return matrix ? matrix + row * columns : nullptr;
}

template <class T>
void forwardRow(Cell cell, const ForwardRow<T>& row, int64_t H) {
  switch (cell) {
    case Cell::Lstm: return lstmForward(row, H);
    case Cell::Gru: return gruForward(row, H);
    case Cell::Tanh: return plainForward<T, Cell::Tanh>(row, H);
    case Cell::Relu: return plainForward<T, Cell::Relu>(row, H);
  }
}

template <class T>
void backwardRow(Cell cell, const BackwardRow<T>& row, int64_t H) {
  switch (cell) {
    case Cell::Lstm: return lstmBackward(row, H);
    case Cell::Gru: return gruBackward(row, H);
    case Cell::Tanh: return plainBackward<T, Cell::Tanh>(row, H);
    case Cell::Relu: return plainBackward<T, Cell::Relu>(row, H);
  }
}

// The weight [G H, H] transposed, so that every step's product reads its rows where they lie; then the bias, or zeros.
template <class T>
const T* arrangeWeight(const TensorView& weight, const TensorView& bias, int64_t columns, int64_t H) {
  T* arranged = reinterpret_cast<T*>(threadScratch(kSlotWeight, (H + 1) * columns * static_cast<int64_t>(sizeof(T))));
  const T* source = weight.as<const T>();
  constexpr int64_t tile = 32;
  for (int64_t i0 = 0; i0 < columns; i0 += tile)
    for (int64_t k = 0; k < H; k++)
      for (int64_t i = i0; i < i0 + tile && i < columns; i++)
        arranged[k * columns + i] = source[i * weight.strides[0] + k * weight.strides[1]];
  for (int64_t i = 0; i < columns; i++)
    arranged[H * columns + i] = bias.defined ? bias.as<const T>()[i * bias.strides[0]] : T(0);
  return arranged;
}

template <class T>
void forwardOf(Context& ctx, const Sequence& s, T* h, T* state, T* gates, T* cell, T* saved, const T* weight) {
  const int64_t H = s.H, columns = s.G * H;
  const T* bias = weight + H * columns;
  const bool gru = s.cell == Cell::Gru;
  parallelFor(ctx.pool, s.steps.batch, s.blockRows(), [&](int64_t begin, int64_t end) {
    T* scratch = nullptr;
    if (gru && !saved)
      scratch = reinterpret_cast<T*>(threadScratch(kSlotHidden, (end - begin) * H * static_cast<int64_t>(sizeof(T))));
    for (int64_t i = 0; i < s.steps.count; i++) {
      const int64_t t = s.step(i), m = s.rowsAt(t, begin, end), row0 = s.steps.offset(t) + begin;
      if (m <= 0) continue;
      const T* a = state + begin * H;
      // Of a GRU the last gate takes the state's part times r: kept apart.
      T* hidden = !gru ? nullptr : scratch ? scratch : saved + row0 * H;
      gemm(ctx.pool,
           Product<T>{m, gru ? 2 * H : columns, H, a, H, 1, weight, columns, 1, gates + row0 * columns, columns, true});
      if (gru) gemm(ctx.pool, Product<T>{m, H, H, a, H, 1, weight + 2 * H, columns, 1, hidden, H});
      for (int64_t r = 0; r < m; r++) {
        const int64_t b = begin + r, row = row0 + r;
        forwardRow(s.cell,
                   ForwardRow<T>{gates + row * columns, bias, rowOf(hidden, r, H), state + b * H, h + row * H,
                                 rowOf(cell, b, H), rowOf(saved, row, H)},
                   H);
      }
    }
  });
}

template <class T>
struct BackwardOperands {
  T *dgates, *dhidden, *previous, *dh, *dc;
  const T *g, *gates, *h, *saved, *h0, *c0, *weight;
  int64_t weightRs, weightCs;
};

template <class T>
void backwardOf(Context& ctx, const Sequence& s, const BackwardOperands<T>& x) {
  const int64_t H = s.H, columns = s.G * H;
  const bool gru = s.cell == Cell::Gru;
  parallelFor(ctx.pool, s.steps.batch, s.blockRows(), [&](int64_t begin, int64_t end) {
    for (int64_t i = s.steps.count - 1; i >= 0; i--) {
      const int64_t t = s.step(i), m = s.rowsAt(t, begin, end), row0 = s.steps.offset(t) + begin;
      if (m <= 0) continue;
      for (int64_t r = 0; r < m; r++) {
        const int64_t b = begin + r, row = row0 + r;
        const T* before = s.before(x.h, x.h0, t, b);
        std::memcpy(x.previous + row * H, before, static_cast<size_t>(H) * sizeof(T));
        backwardRow(s.cell,
                    BackwardRow<T>{rowOf(x.g, row, H), x.gates + row * columns, rowOf(x.saved, row, H), before,
                                   x.c0 ? s.before(x.saved, x.c0, t, b) : nullptr, x.dgates + row * columns,
                                   rowOf(x.dhidden, row, H), x.dh + b * H, rowOf(x.dc, b, H)},
                    H);
      }
      T* dh = x.dh + begin * H;
      gemm(ctx.pool, Product<T>{m, H, gru ? 2 * H : columns, x.dgates + row0 * columns, columns, 1, x.weight,
                                x.weightRs, x.weightCs, dh, H, gru});
      if (gru)
        gemm(ctx.pool, Product<T>{m, H, H, x.dhidden + row0 * H, H, 1, x.weight + 2 * H * x.weightRs, x.weightRs,
                                  x.weightCs, dh, H, true});
    }
  });
}

}  // namespace

void rnnForward(Context& ctx, const TensorView& h, const TensorView& state, const TensorView& gates,
                const OptionalTensor& cell, const OptionalTensor& saved, const TensorView& weight,
                const OptionalTensor& bias, const OptionalTensor& batchSizes, int64_t kind, bool reverse) {
  const Sequence s("rnnForward", kind, reverse, h, state, batchSizes);
  const int64_t columns = s.G * s.H;
  s.checkRows(h, "h");
  s.checkState(state, "state");
  s.checkRows(gates, "gates", s.G);
  if (s.cell == Cell::Lstm) s.checkState(cell, "cell");
  if (saved.defined) s.checkRows(saved, "saved");
  s.check(weight, "weight", columns, s.H, false);
  if (bias.defined && (bias.dtype != s.dtype || bias.ndim != 1 || bias.shape[0] != columns))
    fail(ErrorKind::Shape, "rnnForward: bias %s must have shape [%lld] and the dtype of h", shapeText(bias).c_str(),
         static_cast<long long>(columns));
  if (s.rows == 0 || s.H == 0) return;
  const auto run = [&]<class T>(T*) {
    forwardOf<T>(ctx, s, h.as<T>(), state.as<T>(), gates.as<T>(), dataOf<T>(cell), dataOf<T>(saved),
                 arrangeWeight<T>(weight, bias, columns, s.H));
  };
  s.dtype == DType::Float64 ? run(static_cast<double*>(nullptr)) : run(static_cast<float*>(nullptr));
}

void rnnBackward(Context& ctx, const TensorView& dgates, const OptionalTensor& dhidden, const TensorView& previous,
                 const TensorView& dh, const OptionalTensor& dc, const OptionalTensor& g, const TensorView& gates,
                 const TensorView& h, const OptionalTensor& saved, const TensorView& h0, const OptionalTensor& c0,
                 const TensorView& weight, const OptionalTensor& batchSizes, int64_t kind, bool reverse) {
  const Sequence s("rnnBackward", kind, reverse, h, h0, batchSizes);
  const bool lstm = s.cell == Cell::Lstm, gru = s.cell == Cell::Gru;
  s.checkRows(dgates, "dgates", s.G);
  s.checkRows(previous, "previous");
  s.checkState(dh, "dh");
  if (g.defined) s.checkRows(g, "g");
  s.checkRows(gates, "gates", s.G);
  s.checkRows(h, "h");
  s.checkState(h0, "h0");
  if (gru) s.checkRows(dhidden, "dhidden");
  if (lstm || gru) s.checkRows(saved, "saved");
  if (lstm) {
    s.checkState(dc, "dc");
    s.checkState(c0, "c0");
  }
  s.check(weight, "weight", s.G * s.H, s.H, false);
  if (s.rows == 0 || s.H == 0) return;
  const auto run = [&]<class T>(T*) {
    backwardOf<T>(ctx, s,
                  {dgates.as<T>(), gru ? dhidden.as<T>() : nullptr, previous.as<T>(), dh.as<T>(),
                   lstm ? dc.as<T>() : nullptr, dataOf<const T>(g), gates.as<const T>(), h.as<const T>(),
                   lstm || gru ? saved.as<const T>() : nullptr, h0.as<const T>(), lstm ? c0.as<const T>() : nullptr,
                   weight.as<const T>(), weight.strides[0], weight.strides[1]});
  };
  s.dtype == DType::Float64 ? run(static_cast<double*>(nullptr)) : run(static_cast<float*>(nullptr));
}

}  // namespace thalweg::cpu::THALWEG_ISA
