// The walk of elementwise programs over groups of tensors, for any body: the interpreter's (interpreter.h), or a
// program compiled at run time (generate.h), for which this file is compiled once more by NVRTC.
//
// A body evaluates its program over kVector values of each register at a time:
//   kVector        values that go together
//   kFixedInputs   how many inputs it has, if the compiler knows (then it knows outputs and dtypes as well), or 0
//   kLinear        -1: given at run time; else whether the walk is linear
//   inputs(), outputs(), dtype(given, operand)
//   input(i, values), evaluate(), output(k, values)
#pragma once
#include "cuda/vectors.h"

namespace thalweg::cuda {

constexpr int kMapDims = 8;
constexpr int kMapOperands = 128;
constexpr int kMapWords =
    440;  // with the rest about 3.7 KB of parameters: a launch takes up to 4 KB as a matter of course

// What a launch is about. The words are scalars (the bits of float64; unused where they are given in other memory),
// then groups one after the other:
//   firstTile     the number of tiles of the groups before
//   rows, length  the iteration space in rows of `length` elements
//   shape[dims]   of the space of rows (without the last dimension)
//   data[operands]
//   packed[], uniform[]   bits by operand: rows can be read in whole vectors; the same value stands for a whole row
//   strides[operands][dims + 1]   not if linear: there each operand is contiguous or uniform, and there is one row
// Operands are the outputs, then the inputs. Vectors of a row are numbered row by row, and a tile is what the threads
// of a block take at once.
struct MapArguments {
  const int64_t* external;  // the words, where they are more than fit here
  const int64_t* given;     // the scalars in memory of their own, if they are not those of the words
  const float* skip;        // what says whether there is anything to do, if something does
  int64_t tiles;            // of all groups
  int32_t groups, groupWords, scalars, dims;
  uint8_t linear;
  uint8_t dtypes[kMapOperands];
  int64_t words[kMapWords];

  __host__ __device__ const int64_t* scalarWords() const {
    return given != nullptr ? given : external != nullptr ? external : words;
  }
  __device__ bool skipped() const { return skip != nullptr && *skip != 0.0f; }
};

constexpr int kGroupHeader = 3;

constexpr int maskWords(int operands) { return (operands + 63) / 64; }

// The words of a group.
struct MapGroup {
  const int64_t* words;
  int dims, operands;

  __host__ __device__ int64_t firstTile() const { return words[0]; }
  __host__ __device__ int64_t rows() const { return words[1]; }
  __host__ __device__ int64_t length() const { return words[2]; }
  __host__ __device__ int64_t shape(int d) const { return words[kGroupHeader + d]; }
  __host__ __device__ char* data(int k) const {
    return reinterpret_cast<char*>(static_cast<uintptr_t>(words[kGroupHeader + dims + k]));
  }
  __host__ __device__ bool packed(int k) const { return bit(0, k); }
  __host__ __device__ bool uniform(int k) const { return bit(maskWords(operands), k); }
  __host__ __device__ int64_t stride(int k, int d) const {
    return words[kGroupHeader + dims + operands + 2 * maskWords(operands) + k * (dims + 1) + d];
  }

  __host__ __device__ bool bit(int from, int k) const {
    return static_cast<uint64_t>(words[kGroupHeader + dims + operands + from + k / 64]) >> k % 64 & 1;
  }
};

// i and the sizes below 2^31 mostly: a division of 64 bits takes four times as long.
__device__ inline int64_t divide(int64_t i, int64_t by, int64_t& rest) {
  if (static_cast<uint64_t>(i) <= UINT32_MAX && static_cast<uint64_t>(by) <= UINT32_MAX) {
    const uint32_t quotient = static_cast<uint32_t>(i) / static_cast<uint32_t>(by);
    rest = static_cast<uint32_t>(i) - quotient * static_cast<uint32_t>(by);
    return quotient;
  }
  const int64_t quotient = i / by;
  rest = i - quotient * by;
  return quotient;
}

// Where a vector lies: its row's index in each dimension, its first element in the row, and how many there are.
template <int V>
struct VectorPlace {
  int64_t index[kMapDims];
  int64_t at;
  int count;
};

template <class Body>
__device__ inline void mapGroup(Body& body, const MapArguments& a, const MapGroup& group, int64_t tile, bool linear) {
  constexpr int V = Body::kVector;
  const int64_t perRow = (group.length() + V - 1) / V;
  const int64_t vector = (tile - group.firstTile()) * blockDim.x + threadIdx.x;
  if (vector >= group.rows() * perRow) return;
  VectorPlace<V> place = {};
  int64_t rest = vector;
  if (!linear) {
    int64_t row = divide(vector, perRow, rest);
    THALWEG_UNROLL_LOOP
    for (int d = kMapDims - 1; d >= 0; d--)
      if (d < group.dims) row = divide(row, group.shape(d), place.index[d]);
  }
  place.at = rest * V;
  place.count = group.length() - place.at < V ? static_cast<int>(group.length() - place.at) : V;
  const auto offsetOf = [&](int k, int64_t& stride) {
    if (linear) {
      stride = group.uniform(k) ? 0 : 1;
      return stride * place.at;
    }
    stride = group.stride(k, group.dims);
    int64_t offset = place.at * stride;
    THALWEG_UNROLL_LOOP
    for (int d = 0; d < kMapDims; d++)
      if (d < group.dims) offset += place.index[d] * group.stride(k, d);
    return offset;
  };

  const int outputs = body.outputs();
  typename Body::Value values[V];
  THALWEG_UNROLL_LOOP
  for (int i = 0; i < body.inputs(); i++) {
    const int k = outputs + i;
    int64_t stride;
    const int64_t offset = offsetOf(k, stride);
    loadLanes(group.data(k), body.dtype(a.dtypes, k), offset, stride, place.count, group.packed(k), values);
    body.input(i, values);
  }
  body.evaluate();
  THALWEG_UNROLL_LOOP
  for (int k = 0; k < outputs; k++) {
    int64_t stride;
    const int64_t offset = offsetOf(k, stride);
    body.output(k, values);
    storeLanes(group.data(k), body.dtype(a.dtypes, k), offset, stride, place.count, group.packed(k), values);
  }
}

// All that a block of a map does. Inputs of an element are read before its outputs are written, by the same thread: an
// output may be an input's memory.
template <class Body>
__device__ inline void mapTiles(Body& body, const MapArguments& a) {
  const int64_t* words = (a.external != nullptr ? a.external : a.words) + a.scalars;
  const bool linear = Body::kLinear < 0 ? a.linear != 0 : Body::kLinear != 0;
  const int operands = body.outputs() + body.inputs();
  for (int64_t tile = blockIdx.x; tile < a.tiles; tile += gridDim.x) {
    int g = 0;
    for (int last = a.groups - 1; g < last;) {  // the group that the tile belongs to
      const int middle = (g + last + 1) / 2;
      if (words[static_cast<int64_t>(middle) * a.groupWords] <= tile)
        g = middle;
      else
        last = middle - 1;
    }
    const MapGroup group{words + static_cast<int64_t>(g) * a.groupWords, linear ? 0 : a.dims, operands};
    mapGroup(body, a, group, tile, linear);
  }
}

}  // namespace thalweg::cuda
