// The walks of reductions, for any body (as in map_kernel.h; kUnroll: the vectors that a thread has on their way at
// once) and any operation of reduce_ops.h. This file is compiled
// once more by NVRTC, with programs.
//
//   rows      the innermost dimension is reduced: `lanes` threads take the vectors of one result, up to a warp or the
//             whole block
//   columns   the innermost dimension is kept: a thread takes a vector of results, and `lanes` threads share its rows
//
// Where there are few results, a reduction is split into pieces that different blocks take; their states are joined by
// a second launch. All sizes depend on shapes only, and states are joined in a fixed order: the same operands give the
// same bits.
#pragma once
#include "cuda/map_kernel.h"
#include "cuda/reduce_ops.h"

namespace thalweg::cuda {

constexpr int kReduceInputs = 64;
constexpr int kReduceWords = 400;
constexpr int kReduceThreads = 256;

// The words are scalars (the bits of float64), then
//   shape[dims]   of the kept dimensions, then of the reduced ones
//   out[outputs], strides[outputs][keptDims]
//   packed[inputs], data[inputs], strides[inputs][dims]
// `packed`: the dimension that is walked in vectors (the last one, or the last kept one) can be read so.
struct ReduceArguments {
  const int64_t* external;  // the words, where they are more than fit here
  int64_t results, count;   // and the elements of each result
  int64_t keptRows, keptLength, reducedRows, reducedLength;
  int64_t splits, chunk;  // the pieces of a reduction; vectors (rows of columns) in each
  void* partial;          // states [splits][results]
  int32_t scalars, inputs, outputs, keptDims, reducedDims, lanes;
  uint8_t onlySecond;  // the operation's second result is the only output
  uint8_t outDTypes[2], dtypes[kReduceInputs];
  int64_t words[kReduceWords];

  __host__ __device__ int dims() const { return keptDims + reducedDims; }
};

// The words behind the scalars.
struct ReduceWords {
  const int64_t* words;
  int keptDims, reducedDims, inputs, outputs;

  __device__ explicit ReduceWords(const ReduceArguments& a)
      : words((a.external != nullptr ? a.external : a.words) + a.scalars),
        keptDims(a.keptDims),
        reducedDims(a.reducedDims),
        inputs(a.inputs),
        outputs(a.outputs) {}

  __device__ int dims() const { return keptDims + reducedDims; }
  __device__ int64_t shape(int d) const { return words[d]; }
  __device__ char* out(int k) const { return pointer(dims() + k); }
  __device__ int64_t outStride(int k, int d) const { return words[dims() + outputs + k * keptDims + d]; }
  __device__ bool packed(int i) const { return words[inputsFrom() + i] != 0; }
  __device__ const char* data(int i) const { return pointer(inputsFrom() + inputs + i); }
  __device__ int64_t stride(int i, int d) const { return words[inputsFrom() + 2 * inputs + i * dims() + d]; }

  __device__ int inputsFrom() const { return dims() + outputs * (1 + keptDims); }
  __device__ char* pointer(int at) const { return reinterpret_cast<char*>(static_cast<uintptr_t>(words[at])); }
};

// The index of a position in dimensions [from, to) of the shape.
__device__ inline void locate(const ReduceWords& w, int64_t position, int from, int to, int64_t (&index)[kMapDims]) {
  THALWEG_UNROLL_LOOP
  for (int d = kMapDims - 1; d >= 0; d--) {
    if (d < from || d >= to) continue;
    if (d == from)
      index[d] = position;
    else
      position = divide(position, w.shape(d), index[d]);
  }
}
// The offset of an index of dimensions [from, to) in input i.
__device__ inline int64_t offsetIn(const ReduceWords& w, int i, int from, int to, const int64_t (&index)[kMapDims]) {
  int64_t offset = 0;
  THALWEG_UNROLL_LOOP
  for (int d = 0; d < kMapDims; d++)
    if (d >= from && d < to) offset += index[d] * w.stride(i, d);
  return offset;
}

// The values that a body makes of its inputs: of a result's offsets, which a body with a fixed number of inputs keeps,
// and those along the reduction.
template <class Body>
class ReduceSource {
 public:
  using T = typename Body::Value;
  static constexpr int V = Body::kVector;

  __device__ ReduceSource(Body& body, const ReduceArguments& a, const ReduceWords& w) : body_(body), a_(a), w_(w) {}

  // Position `position` of the kept dimensions.
  __device__ void moveTo(int64_t position) {
    locate(w_, position, 0, w_.keptDims, index_);
    if constexpr (Body::kFixedInputs > 0) {
      THALWEG_UNROLL_LOOP
      for (int i = 0; i < Body::kFixedInputs; i++) base_[i] = offsetIn(w_, i, 0, w_.keptDims, index_);
    }
  }
  // V values along dimension `along`, of which n are there, at a position of the reduced dimensions.
  __device__ void read(int64_t position, int along, int n, T (&values)[V]) {
    locate(w_, position, w_.keptDims, w_.dims(), index_);
    THALWEG_UNROLL_LOOP
    for (int i = 0; i < body_.inputs(); i++) {
      int64_t offset;
      if constexpr (Body::kFixedInputs > 0)
        offset = base_[i] + offsetIn(w_, i, w_.keptDims, w_.dims(), index_);
      else
        offset = offsetIn(w_, i, 0, w_.dims(), index_);
      T x[V];
      loadLanes(w_.data(i), body_.dtype(a_.dtypes, i), offset, w_.stride(i, along), n, w_.packed(i), x);
      body_.input(i, x);
    }
    body_.evaluate();
    body_.output(0, values);
  }

 private:
  Body& body_;
  const ReduceArguments& a_;
  const ReduceWords& w_;
  int64_t index_[kMapDims] = {};
  int64_t base_[Body::kFixedInputs > 0 ? Body::kFixedInputs : 1];
};

template <class Op>
__device__ inline void storeResult(const Op& op, const ReduceArguments& a, const ReduceWords& w, int64_t result,
                                   const typename Op::State& state) {
  int64_t index[kMapDims] = {};
  locate(w, result, 0, w.keptDims, index);
  for (int k = 0; k < a.outputs; k++) {
    int64_t offset = 0;
    THALWEG_UNROLL_LOOP
    for (int d = 0; d < kMapDims; d++)
      if (d < w.keptDims) offset += index[d] * w.outStride(k, d);
    const DType dtype = static_cast<DType>(a.outDTypes[k]);
    if (k == 0 && !a.onlySecond)
      storeAny<typename Op::Value>(w.out(k), dtype, offset, op.first(state));
    else
      storeAny<typename Op::Second>(w.out(k), dtype, offset, op.second(state));
  }
}

// The state of the thread `distance` lanes behind, of groups of `width` lanes.
template <class State>
__device__ inline State shuffleDown(unsigned mask, const State& state, int distance, int width) {
  static_assert(sizeof(State) % 4 == 0);
  constexpr int kWords = sizeof(State) / 4;
  uint32_t words[kWords];
  __builtin_memcpy(words, &state, sizeof state);
  THALWEG_UNROLL_LOOP
  for (int i = 0; i < kWords; i++) words[i] = __shfl_down_sync(mask, words[i], static_cast<unsigned>(distance), width);
  State other;
  __builtin_memcpy(&other, words, sizeof other);
  return other;
}
// The states of `lanes` (a power of two, at most a warp) neighbouring threads, joined, in the first of them.
template <class Op>
__device__ inline void joinLanes(const Op& op, typename Op::State& state, int lanes) {
  const unsigned mask = blockDim.x >= static_cast<unsigned>(kWarp) ? kFullMask : (1u << blockDim.x) - 1;
  for (int distance = lanes / 2; distance > 0; distance /= 2) {
    const typename Op::State other = shuffleDown(mask, state, distance, lanes);
    op.combine(state, other);
  }
}

template <class Op>
__device__ inline void finishOrKeep(const Op& op, const ReduceArguments& a, const ReduceWords& w, int64_t result,
                                    int64_t split, const typename Op::State& state) {
  if (a.splits == 1)
    storeResult(op, a, w, result, state);
  else
    static_cast<typename Op::State*>(a.partial)[split * a.results + result] = state;
}

// shared: a State for each warp.
template <class Body, class Op>
__device__ inline void reduceRows(Body& body, const Op& op, const ReduceArguments& a, char* shared) {
  using State = typename Op::State;
  constexpr int V = Body::kVector;
  const ReduceWords w(a);
  ReduceSource<Body> source(body, a, w);
  const int threads = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
  const int perBlock = threads / a.lanes, lane = thread % a.lanes, last = w.dims() - 1;
  const int64_t perRow = (a.reducedLength + V - 1) / V, vectors = a.reducedRows * perRow;
  const int64_t blocks = (a.results + perBlock - 1) / perBlock * a.splits;
  for (int64_t unit = blockIdx.x; unit < blocks; unit += gridDim.x) {
    const int64_t split = unit % a.splits, result = unit / a.splits * perBlock + thread / a.lanes;
    State state = op.start();
    if (result < a.results) {
      source.moveTo(result);
      const int64_t end = vectors - split * a.chunk < a.chunk ? vectors : (split + 1) * a.chunk;
      THALWEG_UNROLL_BODY
      for (int64_t vector = split * a.chunk + lane; vector < end; vector += a.lanes) {
        int64_t at = vector, row = 0;
        if (a.reducedRows > 1) row = divide(vector, perRow, at);
        at *= V;
        const int n = a.reducedLength - at < V ? static_cast<int>(a.reducedLength - at) : V;
        const int64_t position = row * a.reducedLength + at;
        typename Body::Value values[V];
        source.read(position, last, n, values);
        op.add(state, values, n, position);
      }
    }
    if (a.lanes <= kWarp) {
      joinLanes(op, state, a.lanes);
    } else {
      joinLanes(op, state, kWarp);
      State* const warps = reinterpret_cast<State*>(shared);
      if (thread % kWarp == 0) warps[thread / kWarp] = state;
      __syncthreads();
      if (thread == 0)
        for (int i = 1; i < threads / kWarp; i++) op.combine(state, warps[i]);
      __syncthreads();
    }
    if (lane == 0 && result < a.results) finishOrKeep(op, a, w, result, split, state);
  }
}

// shared: kVector States for each thread.
template <class Body, class Op>
__device__ inline void reduceColumns(Body& body, const Op& op, const ReduceArguments& a, char* shared) {
  using State = typename Op::State;
  constexpr int V = Body::kVector;
  const ReduceWords w(a);
  ReduceSource<Body> source(body, a, w);
  const int threads = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
  const int across = threads / a.lanes, column = thread % across, lane = thread / across;
  const int64_t perRow = (a.keptLength + V - 1) / V, vectors = a.keptRows * perRow;
  const int64_t blocks = (vectors + across - 1) / across * a.splits;
  State* const states = reinterpret_cast<State*>(shared);  // [V][threads]
  for (int64_t unit = blockIdx.x; unit < blocks; unit += gridDim.x) {
    const int64_t split = unit % a.splits, vector = unit / a.splits * across + column;
    State state[V];
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < V; v++) state[v] = op.start();
    int64_t first = 0;
    int n = 0;
    if (vector < vectors) {
      int64_t at;
      const int64_t row = divide(vector, perRow, at);
      at *= V;
      n = a.keptLength - at < V ? static_cast<int>(a.keptLength - at) : V;
      first = row * a.keptLength + at;
      source.moveTo(first);
      const int64_t end = a.count - split * a.chunk < a.chunk ? a.count : (split + 1) * a.chunk;
      int64_t seen = 0;
      THALWEG_UNROLL_BODY
      for (int64_t r = split * a.chunk + lane; r < end; r += a.lanes) {
        typename Body::Value values[V];
        source.read(r, w.keptDims - 1, n, values);
        op.addColumns(state, values, seen++, r);
      }
    }
    for (int distance = a.lanes / 2; distance > 0; distance /= 2) {
      __syncthreads();
      if (lane >= distance && lane < 2 * distance) {
        THALWEG_UNROLL_LOOP
        for (int v = 0; v < V; v++) states[v * threads + thread] = state[v];
      }
      __syncthreads();
      if (lane < distance) {
        THALWEG_UNROLL_LOOP
        for (int v = 0; v < V; v++) op.combine(state[v], states[v * threads + thread + distance * across]);
      }
    }
    if (lane == 0) {
      THALWEG_UNROLL_LOOP
      for (int v = 0; v < V; v++)
        if (v < n) finishOrKeep(op, a, w, first + v, split, state[v]);
    }
  }
}

// Joins the pieces of each result: `lanes` threads of a warp for each.
template <class Op>
__device__ inline void joinSplits(const Op& op, const ReduceArguments& a, int lanes) {
  using State = typename Op::State;
  const ReduceWords w(a);
  const State* const partial = static_cast<const State*>(a.partial);
  const int perBlock = static_cast<int>(blockDim.x) / lanes, lane = static_cast<int>(threadIdx.x) % lanes;
  const int64_t blocks = (a.results + perBlock - 1) / perBlock;
  for (int64_t block = blockIdx.x; block < blocks; block += gridDim.x) {
    const int64_t result = block * perBlock + static_cast<int>(threadIdx.x) / lanes;
    State state = op.start();
    if (result < a.results)
      for (int64_t i = lane; i < a.splits; i += lanes) op.combine(state, partial[i * a.results + result]);
    joinLanes(op, state, lanes);
    if (lane == 0 && result < a.results) storeResult(op, a, w, result, state);
  }
}

}  // namespace thalweg::cuda
