// Recurrent layers: one layer in one direction, a whole sequence a call; rnn_step.h says how the work is divided.
#include "cpu/rnn_gradient.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

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

// The biases as ForwardRow wants them.
template <class T>
void joinBiases(T* joined, const Sequence& s, const TensorView& ofInput, const TensorView& ofState) {
  const int64_t n = s.G * s.H, apart = s.cell == Cell::Gru ? 2 * s.H : n;
  const auto element = [](const TensorView& bias, int64_t i) {
    return bias.defined ? bias.as<const T>()[i * bias.strides[0]] : T(0);
  };
  for (int64_t i = 0; i < n + s.H + lanes<T>; i++) joined[i] = 0;
  for (int64_t i = 0; i < n; i++) {
    joined[i] = element(ofInput, i);
    joined[i < apart ? i : i + s.H] += element(ofState, i);
  }
}

template <class T>
struct ForwardOperands {
  T *h, *state, *gates, *cell, *saved;
  const TensorView &x, &weightIh, &weightHh;
  const OptionalTensor &biasIh, &biasHh;
};

template <class T>
void forwardOf(Context& ctx, const Sequence& s, const ForwardOperands<T>& of) {
  const int64_t H = s.H, columns = s.G * H, padded = wholeVectors<T>(columns);
  const Division division(s);
  const TensorView &weightIh = of.weightIh, &weightHh = of.weightHh, &x = of.x;
  WeightProduct<T> ofState =
      stateProduct(s, division.wide, weightHh.as<const T>(), weightHh.strides[1], weightHh.strides[0], H, columns);
  WeightProduct<T> ofInput =
      inputProduct(s, weightIh.as<const T>(), weightIh.strides[1], weightIh.strides[0], s.I, columns);
  T* bias =
      scratchOf<T>(kSlotWeights, ofState.elements() + ofInput.elements() + wholeVectors<T>(columns + H + lanes<T>));
  joinBiases(bias, s, of.biasIh, of.biasHh);
  T* packed = bias + wholeVectors<T>(columns + H + lanes<T>);
  ofState.pack(packed);
  ofInput.pack(packed + ofState.elements());

  for (int64_t begin = 0; begin < s.steps.count;) {
    const Chunk chunk = division.chunkFrom(s, begin);
    begin = chunk.end;
    // What nobody wants to keep does not leave the cache.
    T* gates = of.gates ? of.gates + chunk.row0 * columns : scratchOf<T>(kSlotChunk, division.mostRows(s) * columns);
    if (s.I > 0)
      ofInput.multiply(ctx.pool, chunk.rows, x.as<const T>() + chunk.row0 * x.strides[0], x.strides[0], x.strides[1],
                       gates, columns);
    else
      std::memset(gates, 0, static_cast<size_t>(chunk.rows * columns) * sizeof(T));
    parallelFor(ctx.pool, s.steps.batch, division.blockRows, [&](int64_t b0, int64_t b1) {
      // The last gate of the last row is read in whole vectors, too.
      T* product = scratchOf<T>(kSlotProduct, (b1 - b0) * padded + lanes<T>);
      for (int64_t i = chunk.begin; i < chunk.end; i++) {
        const int64_t t = s.step(i), m = s.rowsAt(t, b0, b1), row0 = s.steps.offset(t) + b0;
        if (m <= 0) continue;
        ofState.multiply(ctx.pool, m, of.state + b0 * H, H, 1, product, padded);
        forRows(ctx.pool, s, division.wide, m, [&](int64_t r) {
          const int64_t b = b0 + r, row = row0 + r;
          forwardRow(s.cell,
                     ForwardRow<T>{gates + (row - chunk.row0) * columns, product + r * padded, bias,
                                   s.cell == Cell::Gru ? rowOf(of.saved, row, H) : nullptr, of.state + b * H,
                                   of.h + row * H, rowOf(of.cell, b, H), rowOf(of.saved, row, H)},
                     H);
        });
      }
    });
  }
}

template <class T>
struct BackwardOperands {
  T *dx, *dweightIh, *dweightHh, *dbiasIh, *dbiasHh, *dh, *dc;
  const T *g, *gates, *h, *saved, *h0, *c0;
  const TensorView &x, &weightIh, &weightHh;
};

template <class T>
class Backward {
 public:
  Backward(Context& ctx, const Sequence& s, const BackwardOperands<T>& of)
      : pool_(ctx.pool),
        s(s),
        of(of),
        division(s),
        ofState(stateProduct(s, division.wide, of.weightHh.template as<const T>(), of.weightHh.strides[0],
                             of.weightHh.strides[1], columns, s.H)),
        ofInput(inputProduct(s, of.weightIh.template as<const T>(), of.weightIh.strides[0], of.weightIh.strides[1],
                             columns, s.I)),
        dweightIh(of.dweightIh, columns, s.I),
        dweightHh(of.dweightHh, columns, s.H) {}

  void run() {
    const int64_t batch = s.steps.batch, most = division.mostRows(s);
    // Totals of columns first: they are doubles.
    const int64_t sizes[] = {batch * padded, ofState.elements(), ofInput.elements(), dweightIh.elements(most)};
    int64_t elements = dweightHh.elements(most);
    for (const int64_t size : sizes) elements += size;
    double* totals = reinterpret_cast<double*>(threadScratch(kSlotWeights, 2 * columns * 8 + elements * item));
    for (int64_t i = 0; i < 2 * columns; i++) totals[i] = 0;
    dh = reinterpret_cast<T*>(totals + 2 * columns);
    T* memory = dh + sizes[0];
    ofState.pack(memory);
    ofInput.pack(memory += sizes[1]);
    dweightIh.use(memory += sizes[2]);
    dweightHh.use(memory += sizes[3]);
    for (int64_t b = 0; b < batch; b++) std::memcpy(dh + b * padded, of.dh + b * s.H, static_cast<size_t>(s.H * item));

    previous = scratchOf<T>(kSlotChunk, wholeVectors<T>(most * s.H) + (gru ? 2 : 1) * most * stride);
    dgates = previous + wholeVectors<T>(most * s.H);
    dproduct = gru ? dgates + most * stride : dgates;
    for (int64_t end = s.steps.count; end > 0;) {
      const Chunk chunk = division.chunkBefore(s, end);
      throughTime(chunk);
      products(chunk, end == s.steps.count);
      if (of.dbiasIh || (of.dbiasHh && !gru)) addColumnSums(pool_, totals, dgates, stride, chunk.rows, columns);
      if (of.dbiasHh && gru) addColumnSums(pool_, totals + columns, dproduct, stride, chunk.rows, columns);
      end = chunk.begin;
    }
    dweightIh.finish();
    dweightHh.finish();
    for (int64_t b = 0; b < batch; b++) std::memcpy(of.dh + b * s.H, dh + b * padded, static_cast<size_t>(s.H * item));
    for (int64_t i = 0; i < columns; i++) {
      if (of.dbiasIh) of.dbiasIh[i] = static_cast<T>(totals[i]);
      if (of.dbiasHh) of.dbiasHh[i] = static_cast<T>(totals[gru ? columns + i : i]);
    }
  }

 private:
  static constexpr int64_t item = sizeof(T);
  ThreadPool& pool_;
  const Sequence& s;
  const BackwardOperands<T>& of;
  const Division division;
  const bool gru = s.cell == Cell::Gru;
  const int64_t columns = s.G * s.H, stride = gateStride<T>(columns), padded = wholeVectors<T>(s.H);
  WeightProduct<T> ofState, ofInput;
  WeightGradient<T> dweightIh, dweightHh;
  T* dh;                            // of each row of the batch
  T *previous, *dgates, *dproduct;  // of each row of a chunk

  void throughTime(const Chunk& chunk) {
    parallelFor(pool_, s.steps.batch, division.blockRows, [&](int64_t b0, int64_t b1) {
      for (int64_t i = chunk.end - 1; i >= chunk.begin; i--) {
        const int64_t t = s.step(i), m = s.rowsAt(t, b0, b1), row0 = s.steps.offset(t) + b0;
        if (m <= 0) continue;
        const int64_t first = row0 - chunk.row0;
        forRows(pool_, s, division.wide, m, [&](int64_t r) {
          const int64_t b = b0 + r, row = row0 + r;
          const T* before = s.before(of.h, of.h0, t, b);
          std::memcpy(previous + (first + r) * s.H, before, static_cast<size_t>(s.H * item));
          backwardRow(s.cell,
                      BackwardRow<T>{rowOf(of.g, row, s.H), of.gates + row * columns, rowOf(of.saved, row, s.H), before,
                                     of.c0 ? s.before(of.saved, of.c0, t, b) : nullptr, dgates + (first + r) * stride,
                                     dproduct + (first + r) * stride, dh + b * padded, rowOf(of.dc, b, s.H)},
                      s.H);
        });
        ofState.multiply(pool_, m, dproduct + first * stride, stride, 1, dh + b0 * padded, padded, gru);
      }
    });
  }

  // With the inputs, and for the gradients of the weights.
  void products(const Chunk& chunk, bool firstChunk) {
    const TensorView& x = of.x;
    if (of.dx && s.I > 0) ofInput.multiply(pool_, chunk.rows, dgates, stride, 1, of.dx + chunk.row0 * s.I, s.I);
    dweightIh.add(pool_, dgates, stride, x.as<const T>() + chunk.row0 * x.strides[0], x.strides[0], x.strides[1],
                  chunk.rows, firstChunk);
    dweightHh.add(pool_, dproduct, stride, previous, s.H, 1, chunk.rows, firstChunk);
  }
};

template <class T>
void clear(const TensorView& view) {
  if (view.defined && view.numel() > 0) std::memset(view.data, 0, static_cast<size_t>(view.numel()) * sizeof(T));
}

}  // namespace

void rnnForward(Context& ctx, const TensorView& h, const TensorView& state, const OptionalTensor& gates,
                const OptionalTensor& cell, const OptionalTensor& saved, const TensorView& x,
                const TensorView& weightIh, const TensorView& weightHh, const OptionalTensor& biasIh,
                const OptionalTensor& biasHh, const OptionalTensor& batchSizes, int64_t kind, bool reverse) {
  const Sequence s("rnnForward", kind, reverse, h, state, x, batchSizes);
  s.checkForward(h, state, gates, cell, saved, x, weightIh, weightHh, biasIh, biasHh);
  if (s.rows == 0 || s.H == 0) return;
  const auto run = [&]<class T>(T*) {
    forwardOf<T>(ctx, s,
                 {h.as<T>(), state.as<T>(), dataOf<T>(gates), s.cell == Cell::Lstm ? cell.as<T>() : nullptr,
                  dataOf<T>(saved), x, weightIh, weightHh, biasIh, biasHh});
  };
  s.dtype == DType::Float64 ? run(static_cast<double*>(nullptr)) : run(static_cast<float*>(nullptr));
}

void rnnBackward(Context& ctx, const OptionalTensor& dx, const OptionalTensor& dweightIh,
                 const OptionalTensor& dweightHh, const OptionalTensor& dbiasIh, const OptionalTensor& dbiasHh,
                 const TensorView& dh, const OptionalTensor& dc, const OptionalTensor& g, const TensorView& gates,
                 const TensorView& h, const OptionalTensor& saved, const TensorView& h0, const OptionalTensor& c0,
                 const TensorView& x, const TensorView& weightIh, const TensorView& weightHh,
                 const OptionalTensor& batchSizes, int64_t kind, bool reverse) {
  const Sequence s("rnnBackward", kind, reverse, h, h0, x, batchSizes);
  s.checkBackward(dx, dweightIh, dweightHh, dbiasIh, dbiasHh, dh, dc, g, gates, h, saved, h0, c0, x, weightIh,
                  weightHh);
  const bool lstm = s.cell == Cell::Lstm, gru = s.cell == Cell::Gru;
  const auto run = [&]<class T>(T*) {
    if (s.rows == 0 || s.H == 0) {
      for (const OptionalTensor* result : {&dx, &dweightIh, &dweightHh, &dbiasIh, &dbiasHh}) clear<T>(*result);
      return;
    }
    const BackwardOperands<T> of{dataOf<T>(dx),
                                 dataOf<T>(dweightIh),
                                 dataOf<T>(dweightHh),
                                 dataOf<T>(dbiasIh),
                                 dataOf<T>(dbiasHh),
                                 dh.as<T>(),
                                 lstm ? dc.as<T>() : nullptr,
                                 dataOf<const T>(g),
                                 gates.as<const T>(),
                                 h.as<const T>(),
                                 lstm || gru ? saved.as<const T>() : nullptr,
                                 h0.as<const T>(),
                                 lstm ? c0.as<const T>() : nullptr,
                                 x,
                                 weightIh,
                                 weightHh};
    Backward<T>(ctx, s, of).run();
  };
  s.dtype == DType::Float64 ? run(static_cast<double*>(nullptr)) : run(static_cast<float*>(nullptr));
}

void rnnStack(Context&, const TensorView&, const TensorView&, const OptionalTensor&, const OptionalTensor&,
              const TensorView&, const OptionalTensor&, const OptionalTensor&, TensorList, Scalars, int64_t, int64_t,
              bool, bool) {
  fail(ErrorKind::Device, "rnnStack: the CPU computes layers one by one");
}

void rnnStackBackward(Context&, const OptionalTensor&, const OptionalTensor&, const OptionalTensor&, TensorList,
                      const OptionalTensor&, const OptionalTensor&, const OptionalTensor&, const TensorView&,
                      const TensorView&, const TensorView&, const OptionalTensor&, const OptionalTensor&, TensorList,
                      Scalars, int64_t, int64_t, int64_t, bool, bool) {
  fail(ErrorKind::Device, "rnnStackBackward: the CPU computes layers one by one");
}

}  // namespace thalweg::cpu::THALWEG_ISA
